"""The doctor judges a site before a first night fails: its rules, and whether page 1 of its list is one."""

import json
import re

import pytest

from crawl.site_server import Page, serve
from invented_pages import assembly_row, bluehouse_list
from petitions.commands.doctor_site import OwnPace, examine_site
from petitions.errors import ConfigError, FetchError, SiteChangedError
from petitions.settings import Settings
from stand_in import ASSEMBLY_DATA, run_stand_in

WAYS = "ask those who run the site for permission, take the official open data, or crawl an archive or a mirror of it"


def examine(url, source="assembly", **settings):
    return examine_site(Settings(source=source, site_urls={source: url}, requests_per_second=1_000, **settings))


def list_rows(path, nth):
    return Page(json.dumps([assembly_row()] * 3).encode())


def test_a_site_that_answers_is_told_with_its_rows_in_two_requests():
    with serve(list_rows, robots="User-agent: *\nDisallow: /admin/\n") as site:
        told = examine(site.url, contact="a@example.org")
        assert [path.partition("?")[0] for path, _ in site.asked] == ["/robots.txt", "/api/petits"]
    assert told == f"{site.url} answers, robots.txt allows it, page 1 of the list has 3 petitions"


def test_without_a_contact_the_site_cannot_reach_us():
    with serve(lambda path, nth: Page(bluehouse_list("1", "2"))) as site:
        assert "page 1 of the list has 2 petitions; PETITIONS_CONTACT is empty" in examine(site.url, "bluehouse")


@pytest.mark.parametrize(
    ("rules", "forbidden"),
    [
        ("User-agent: *\nDisallow: /\n", "/api/petits?"),
        ("User-agent: *\nDisallow: /\nAllow: /admin/\n", "/api/petits?"),
        ("User-agent: petition-topics\nDisallow: /api/\n", "/api/petits?"),
        ("User-agent: *\nDisallow: /api/petits/\n", "/api/petits/0123456789ABCDEFE054B49691C1987F?"),
    ],
)
def test_rules_that_forbid_what_a_crawl_asks_for_are_told_with_what_can_be_done(rules, forbidden):
    with serve(list_rows, robots=rules) as site, pytest.raises(ConfigError) as caught:
        examine(site.url)
    told = str(caught.value)
    assert told.startswith(f"{site.url}/robots.txt forbids {site.url}{forbidden}")
    assert told.endswith(WAYS)


def test_a_site_that_closed_is_told_without_asking():
    with pytest.raises(ConfigError, match="closed on 2022-05-09: set PETITIONS_BLUEHOUSE_URL to a mirror's address"):
        examine_site(Settings(source="bluehouse"))


def test_a_site_that_is_down_is_one_line():
    with pytest.raises(FetchError, match=r"^http://127.0.0.1:1 does not answer: nothing listens there$"):
        examine("http://127.0.0.1:1")
    for status, told in ((503, "status 503"), (403, "status 403")):
        with serve(lambda path, nth, status=status: Page(status=status)) as site:
            with pytest.raises(FetchError, match=f"^{site.url} does not answer: {told}$"):
                examine(site.url)
            assert site.count("/api/") == 1


@pytest.mark.parametrize(
    ("page", "error", "said"),
    [
        (Page(b"<!DOCTYPE html><form action=/login></form>"), SiteChangedError, "page 1 of the list is no list"),
        (Page(status=302, headers={"Location": "https://sso.elsewhere.test/login"}), FetchError, "another host"),
    ],
)
def test_a_login_before_the_site_is_told_with_a_way_in(page, error, said):
    with serve(lambda path, nth: page) as site, pytest.raises(error) as caught:
        examine(site.url)
    assert said in str(caught.value)
    assert "a login or a waiting room may stand before it" in str(caught.value)
    assert "petitions crawl --replay FILE" in str(caught.value)


def test_a_login_page_that_a_redirect_leads_to_is_told_too():
    def answer(path, nth):
        return Page(b"<html>login</html>") if path == "/login" else Page(status=302, headers={"Location": "/login"})

    with serve(answer) as site, pytest.raises(SiteChangedError, match="a login or a waiting room"):
        examine(site.url)


@pytest.mark.parametrize(("body", "said"), [(b"[]", "is empty"), (b'{"list": []}', "expected an array, found dict")])
def test_another_shape_and_an_empty_list_are_told(body, said):
    with serve(lambda path, nth: Page(body)) as site, pytest.raises(SiteChangedError, match=re.escape(said)):
        examine(site.url)


def test_a_site_that_wants_long_pauses_is_not_waited_for():
    with serve(list_rows, robots="User-agent: *\nCrawl-delay: 600\n") as site:
        assert "is to be asked every 600 s alone; its list was not read" in examine(site.url)
        assert site.count("/api/") == 0


def test_the_pace_of_the_doctor_is_that_of_the_settings(monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    pace = OwnPace(0.5)
    pace.wait()
    pace.wait()
    assert slept[0] == 0.0
    assert 1.9 < slept[1] <= 2.0


def test_the_stand_in_is_judged_by_its_rules():
    with run_stand_in("assembly", ASSEMBLY_DATA / "2020-01_2024-07.jsonl", today="2024-07-01") as site:
        assert "page 1 of the list has" in examine(site.url)
        site.control("robots", text="User-agent: *\nDisallow: /")
        with pytest.raises(ConfigError, match="robots.txt forbids"):
            examine(site.url)
