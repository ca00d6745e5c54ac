"""An operator changes how the Assembly is asked by a setting alone."""

import json
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from petitions.crawl.sites import open_site
from petitions.errors import ConfigError
from petitions.records import Source, Window
from petitions.settings import Settings

ID = "0123456789ABCDEFE054B49691C1987F"
WINDOW = Window(since=date(2024, 4, 1), until=date(2024, 7, 1))
CHANGED = {
    "list": "/v2/petitions",
    "detail": "/v2/petition?id={id}",
    "page": "/petition/{id}",
    "headers": {"Accept": None, "X-Asked": "{site}/app"},
    "paging": {"recordCountPerPage": "8", "usePaging": "true"},
    "open": {"sttusCode": "NEW"},
    "closed": {"notInColumn": None},
}


def open_assembly(text):
    environ = {"PETITIONS_ASSEMBLY_URL": "https://site.test/", "PETITIONS_ASSEMBLY_REQUESTS": text}
    return open_site(Source("assembly"), WINDOW, Settings.from_env(environ), date(2024, 7, 1))


@pytest.mark.parametrize("is_file", [False, True])
def test_paths_headers_and_parameters_are_those_of_the_setting(tmp_path, is_file):
    text = json.dumps(CHANGED)
    if is_file:
        (tmp_path / "asked.json").write_text(text)
        text = str(tmp_path / "asked.json")
    site = open_assembly(text)
    detail, listed = site.detail_request(ID), urlsplit(site.list_request("open", 2).url)
    assert detail.url == f"https://site.test/v2/petition?id={ID}"
    assert dict(detail.headers) == {"Referer": "https://site.test/", "X-Asked": "https://site.test/app"}
    asked = {name: values[0] for name, values in parse_qs(listed.query, keep_blank_values=True).items()}
    assert (listed.path, asked["sttusCode"], asked["usePaging"]) == ("/v2/petitions", "NEW", "true")
    assert (asked["recordCountPerPage"], asked["pageIndex"], asked["sort"]) == ("8", "2", "AGRE_END_DE-")
    assert "notInColumn" not in site.list_request("closed", 1).url
    assert site.find_petition(detail.url) == ID
    assert site.find_petition(f"https://site.test/api/petits/{ID}?petitId={ID}&sttusCode=") == ID, "of an older archive"
    assert site.asked.page_url(site.base_url, ID) == f"https://site.test/petition/{ID}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "must be a JSON object or a file"),
        ("/nowhere/asked.json", "must be a JSON object or a file"),
        ('{"lists": "/x"}', "may hold list, detail, page, headers, paging, open, closed, found lists"),
        ('{"detail": "/x"}', "detail must hold {id}, got '/x'"),
        ('{"list": "/x/{id}"}', "list must not hold {id}"),
        ('{"detail": "https://other.test/{id}"}', "detail must be a path that begins with /"),
        ('{"open": {"sttusCode": 1}}', "open must be an object of texts"),
        ('{"headers": {"A": "x\\ny"}}', "headers holds signs that cannot be sent"),
    ],
)
def test_a_setting_that_cannot_be_is_named(text, said):
    with pytest.raises(ConfigError) as caught:
        open_assembly(text)
    assert "PETITIONS_ASSEMBLY_REQUESTS" in str(caught.value)
    assert said in str(caught.value)


def test_no_setting_tells_the_crawl_to_ignore_robots_txt():
    assert not any("robots" in name for name in Settings.__dataclass_fields__)
