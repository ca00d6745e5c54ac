"""Crawls of invented sites: what single bad answers, bad lists and restarts come to."""

import json
from contextlib import closing
from datetime import date

import pytest
from site_server import FastClock, Page, serve

from invented_pages import assembly_row, bluehouse_list, bluehouse_page, hidden_page
from petitions.crawl.archive import Archive
from petitions.crawl.crawler import Crawler, crawl
from petitions.crawl.fetcher import Fetcher
from petitions.crawl.limiter import Limiter
from petitions.crawl.policy import RetryPolicy
from petitions.errors import FetchError, ParseError, SiteChangedError
from petitions.records import Hidden, Petition, Reject, Source, Status, Window
from petitions.settings import Settings
from petitions.sources.assembly import AssemblySite
from petitions.sources.bluehouse import BlueHouseSite
from petitions.store.artifacts import ArtifactStore

WINDOW = Window(since=date(2019, 8, 1), until=date(2019, 9, 1))
POLICY = RetryPolicy(tries=3, parse_tries=3, timeout_s=5.0)


@pytest.fixture
def archive(tmp_path):
    return Archive(ArtifactStore(str(tmp_path)))


def crawl_site(site, archive, known=None):
    clock = FastClock()
    limiter = Limiter(1e6, clock)
    with closing(Fetcher(site.base_url, contact="", limiter=limiter, policy=POLICY, clock=clock)) as fetcher:
        crawler = Crawler(site, fetcher, archive, policy=POLICY, connections=2, clock=clock)
        for batch in crawler.crawl(known or {}):
            assert 1 <= len(batch) <= 100
            yield from batch


def crawl_bluehouse(server, archive, known=None):
    return crawl_site(BlueHouseSite(base_url=server.url, window=WINDOW), archive, known)


def answer_bluehouse(open_ids, pages=None, ended_ids=()):
    """A site with these lists, each on one page; `pages` maps an id to its page where it is not an ordinary one."""

    def answer(path, nth):
        if path.startswith("/api/"):
            ids = open_ids if "only=1" in path else ended_ids
            return Page(bluehouse_list(*(ids if "page=1&" in path else ())))
        page = (pages or {}).get(path.rpartition("/")[2], Page(bluehouse_page()))
        return page(nth) if callable(page) else page

    return answer


def test_petitions_come_once_though_both_lists_name_them(archive):
    with serve(answer_bluehouse(["1", "2", "3"], ended_ids=["3", "4"])) as server:
        items = list(crawl_bluehouse(server, archive))
    assert [item.source_id for item in items] == ["1", "2", "3", "4"]
    assert items[0].url == f"{server.url}/petitions/1"


def test_only_new_and_open_petitions_are_asked_for_again(archive):
    known = {"1": Status.OPEN, "2": Status.ENDED, "3": Status.ANSWERED, "4": Status.HIDDEN}
    with serve(answer_bluehouse(["1", "2", "3", "4", "5"])) as server:
        items = list(crawl_bluehouse(server, archive, known))
    assert [item.source_id for item in items] == ["1", "5"]
    assert server.count("/petitions/") == 2


def test_an_ended_petition_is_asked_for_again_when_the_list_says_that_it_was_answered(archive):
    row = assembly_row(
        sttusCode="CMIT_FRWRD", resultCode="ALTRV_DSUSE", agreBeginDe="2019-08-02", agreEndDe="2019-08-30"
    )

    def answer(path, nth):
        if path.startswith("/api/petits?"):
            return Page(json.dumps([row] if "pageIndex=1&" in path else []).encode())
        return Page(json.dumps(row).encode())

    for status, n_items in ((Status.ENDED, 1), (Status.ANSWERED, 0)):
        with serve(answer) as server:
            site = AssemblySite(base_url=server.url, window=WINDOW, today=date(2019, 9, 1))
            items = list(crawl_site(site, archive, {row["petitId"]: status}))
        assert [item.status for item in items] == [Status.ANSWERED] * n_items


def test_hidden_and_missing_pages_are_told_apart_and_kept(archive):
    pages = {"1": Page(hidden_page()), "2": Page(b"<html></html>", status=404)}
    with serve(answer_bluehouse(["1", "2", "3"], pages)) as server:
        hidden, missing, petition = crawl_bluehouse(server, archive)
    assert isinstance(hidden, Hidden)
    assert hidden.source_id == "1"
    assert archive.read_answer(hidden.artifact).body == hidden_page()
    assert isinstance(missing, Reject)
    assert missing.reason.startswith("missing")
    assert archive.read_answer(missing.artifact).status == 404
    assert isinstance(petition, Petition)
    assert server.count("/petitions/2") == 1


def test_garbage_is_asked_for_again_before_it_counts(archive):
    pages = {"1": lambda nth: Page(b"<html>" if nth < 2 else bluehouse_page()), "2": Page(b"<html>garbage")}
    with serve(answer_bluehouse(["1", "2", "3"], pages)) as server:
        healed, bad, _ = crawl_bluehouse(server, archive)
    assert isinstance(healed, Petition)
    assert isinstance(bad, Reject)
    assert f"{server.url}/petitions/2" in bad.reason
    assert archive.read_answer(bad.artifact).body == b"<html>garbage"
    assert server.count("/petitions/2") == POLICY.parse_tries


def test_a_page_past_the_size_limit_is_one_reject(archive):
    pages = {"1": Page(b"x" * 6_000_000)}
    with serve(answer_bluehouse(["1", "2", "3"], pages)) as server:
        bad, *others = crawl_bluehouse(server, archive)
    assert "past 5000000 bytes" in bad.reason
    assert all(isinstance(item, Petition) for item in others)


def test_two_bad_pages_of_a_hundred_are_borne_and_three_stop_the_crawl(archive):
    ids = [str(number) for number in range(100)]
    for n_bad in (2, 3):
        pages = {number: Page(bluehouse_page(title="")) for number in ids[:n_bad]}
        items = []
        with serve(answer_bluehouse(ids, pages)) as server:
            try:
                items.extend(crawl_bluehouse(server, archive))
            except SiteChangedError as error:
                message = str(error)
        assert sum(isinstance(item, Reject) for item in items) in (0, n_bad)
    assert "3 of 100" in message
    assert f"{server.url}/petitions/2: .petitionsView_title" in message
    assert archive.read_answer(message.rpartition(" ")[2].rstrip(")")).status == 200


def test_a_few_petitions_that_are_all_bad_stop_the_crawl_too(archive):
    ids = [str(number) for number in range(10)]
    pages = {number: Page(b"<html>") for number in ids}
    with serve(answer_bluehouse(ids, pages)) as server, pytest.raises(SiteChangedError, match="10 of 10"):
        list(crawl_bluehouse(server, archive))


def test_a_list_of_another_shape_stops_the_crawl_and_is_kept(archive):
    with (
        serve(lambda path, nth: Page(b'{"status": "ok", "petitions": []}')) as server,
        pytest.raises(SiteChangedError, match=r"/api/petitions/list: expected keys .* item .*raw answer") as caught,
    ):
        list(crawl_bluehouse(server, archive))
    answer = archive.read_answer(str(caught.value).rpartition(" ")[2].rstrip(")"))
    assert answer.body == b'{"status": "ok", "petitions": []}'
    assert ("only", "1") in answer.form


def test_a_list_that_never_ends_stops_the_crawl(archive):
    endless = Page(bluehouse_list("1", "2"))
    with serve(lambda path, nth: endless) as server, pytest.raises(SiteChangedError, match="bring nothing new"):
        list(crawl_bluehouse(server, archive))


def test_a_site_that_stops_answering_stops_the_crawl_and_the_message_says_what_is_missing(archive):
    ids = [str(number) for number in range(150)]
    items = []
    missing = r"/petitions/120: no answer in 3 tries.*; 30 of 150 petitions"
    with serve(answer_bluehouse(ids, {"120": Page(status=500)})) as server, pytest.raises(FetchError, match=missing):
        for item in crawl_bluehouse(server, archive):
            items.append(item)
    assert len(items) == 100


def test_petitions_outside_the_window_are_not_asked_for(archive):
    def answer(path, nth):
        if not path.startswith("/api/"):
            return Page(bluehouse_page())
        days = {"1": "2019-09-01", "2": "2019-08-31", "3": "2019-08-01", "4": "2019-07-31"}
        page = path.partition("page=")[2][0]
        return Page(bluehouse_list(page, created=days[page]))

    with serve(answer) as server:
        assert [item.source_id for item in crawl_bluehouse(server, archive)] == ["2", "3"]
    assert server.count("/api/") == 8


def test_the_public_function_crawls_by_the_settings(archive):
    with serve(answer_bluehouse(["1"])) as server:
        settings = Settings(bluehouse_url=f"{server.url}/", requests_per_second=1000, contact="ops@site.test")
        (batch,) = crawl(
            Source.BLUEHOUSE, WINDOW, known={}, settings=settings, archive=archive, today=date(2019, 9, 1)
        )  # fmt: skip
    assert [item.url for item in batch] == [f"{server.url}/petitions/1"]


def test_the_sample_needs_no_network_and_comes_in_batches(archive, monkeypatch, tmp_path):
    row = {"category": "기타", "theme": "x", "days_before": 1, "n_agreements": 1, "title": "제목", "body": "본문"}
    lines = [json.dumps({"id": f"a-{number}", **row}) for number in range(120)]
    (tmp_path / "sample_data").mkdir()
    (tmp_path / "sample_data" / "part-a.jsonl").write_text("\n".join(lines))
    monkeypatch.setattr("petitions.sources.sample.files", lambda package: tmp_path)
    arguments = {"known": {}, "settings": Settings(), "archive": archive, "today": date(2019, 9, 1)}
    assert [len(batch) for batch in crawl(Source.SAMPLE, WINDOW, **arguments)] == [100, 20]
    (tmp_path / "sample_data" / "part-b.jsonl").write_text("{")
    with pytest.raises(ParseError, match="part-b.jsonl line 1"):
        list(crawl(Source.SAMPLE, WINDOW, **arguments))
