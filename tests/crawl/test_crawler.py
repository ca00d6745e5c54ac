"""Crawls of invented sites: what is asked for, and what single bad answers, bad lists and restarts come to."""

import json
import re
from datetime import date

import pytest
from memory_ledger import MemoryLedger, crawl_batches
from site_server import Page, serve

from invented_pages import assembly_row, bluehouse_list, bluehouse_page, hidden_page
from petitions.crawl.archive import Archive
from petitions.crawl.place import DONE, KNOWN, Place
from petitions.crawl.policy import RetryPolicy
from petitions.crawl.reading import FEWEST_BAD
from petitions.errors import FetchError, SiteChangedError
from petitions.records import Hidden, Petition, Reject, Status, Window
from petitions.sources.assembly import AssemblySite
from petitions.sources.bluehouse import BlueHouseSite
from petitions.store.artifacts import ArtifactStore

WINDOW = Window(since=date(2019, 8, 1), until=date(2019, 9, 1))
POLICY = RetryPolicy(tries=3, parse_tries=3, timeout_s=5.0)


@pytest.fixture
def archive(tmp_path):
    return Archive(ArtifactStore(str(tmp_path)))


def crawl_site(site, archive, ledger=None):
    for batch in crawl_batches(site, archive, ledger, policy=POLICY):
        yield from batch.items


def crawl_bluehouse(server, archive, ledger=None):
    return crawl_site(BlueHouseSite(base_url=server.url, window=WINDOW), archive, ledger)


def answer_bluehouse(open_ids, pages=None, ended_ids=()):
    """A site with these lists, each on one page; `pages` maps an id to its page where it is not an ordinary one."""

    def answer(path, nth):
        if path.startswith("/api/"):
            ids = open_ids if "only=1" in path else ended_ids
            return Page(bluehouse_list(*(ids if "page=1&" in path else ())))
        page = (pages or {}).get(path.rpartition("/")[2], Page(bluehouse_page()))
        return page(nth) if callable(page) else page

    return answer


def answer_long_lists(days, ended_days=()):
    """A site whose lists hold seven petitions a page; each list is a row of days, and an id its place in it."""

    def answer(path, nth):
        if not path.startswith("/api/"):
            return Page(bluehouse_page())
        rows = [(f"{9000 - place}", day) for place, day in enumerate(days)]
        if "only=1" not in path:
            rows = [(f"{5000 - place}", day) for place, day in enumerate(ended_days)]
        page = int(re.search(r"page=(\d+)", path)[1])
        few = rows[7 * page - 7 : 7 * page]
        items = [{"id": number, "created": day} for number, day in few]
        return Page(json.dumps({"status": "ok", "item": items}).encode())

    return answer


def asked_pages(server, only="1"):
    return [int(re.search(r"page=(\d+)", path)[1]) for path, _ in server.asked if f"only={only}" in path]


def test_petitions_come_once_though_both_lists_name_them(archive):
    with serve(answer_bluehouse(["1", "2", "3"], ended_ids=["3", "4"])) as server:
        items = list(crawl_bluehouse(server, archive))
    assert [item.source_id for item in items] == ["1", "2", "3", "4"]
    assert items[0].url == f"{server.url}/petitions/1"
    assert archive.read_answer(items[0].artifact).body == bluehouse_page()


def test_new_and_open_petitions_are_asked_for_and_of_the_others_a_sample(archive):
    ledger = MemoryLedger({"1": Status.OPEN, "2": Status.ENDED, "3": Status.ANSWERED, "4": Status.HIDDEN})
    with serve(answer_bluehouse(["1", "2", "3", "4", "5"])) as server:
        items = list(crawl_bluehouse(server, archive, ledger))
    assert [item.source_id for item in items] == ["5", "1", "2"]
    assert server.count("/petitions/") == 3
    assert ledger.place.stage == DONE


def test_a_crawl_that_is_not_thorough_reads_no_list_of_ended_ones_and_samples_what_the_others_pay_for(archive):
    known = {f"{number}": Status.OPEN for number in range(1, 19)} | {"99": Status.ENDED}
    for n_more, n_sample in ((0, 0), (2, 1)):
        open_ones = known | {f"{number}": Status.OPEN for number in range(20, 20 + n_more)}
        with serve(answer_bluehouse(list(open_ones), ended_ids=["200"])) as server:
            items = list(crawl_bluehouse(server, archive, MemoryLedger(dict(open_ones), is_thorough=False)))
        assert asked_pages(server, "2") == []
        assert "200" not in [item.source_id for item in items]
        assert [item.source_id for item in items].count("99") == n_sample


def test_a_list_is_read_to_three_pages_of_what_is_known_and_covered(archive):
    days = ["2019-08-31"] * 3 + ["2019-08-30"] * 60
    known = {f"{9000 - place}": Status.OPEN for place in range(3, 63)}
    with serve(answer_long_lists(days)) as server:
        list(crawl_bluehouse(server, archive, MemoryLedger(dict(known), covered_until=date(2019, 8, 31))))
        assert sorted(asked_pages(server)) in ([1, 2, 3, 4], [1, 2, 3, 4, 5])  # two at once where there was news
        for covered_until in (None, date(2019, 8, 30)):
            server.asked.clear()
            list(crawl_bluehouse(server, archive, MemoryLedger(dict(known), covered_until=covered_until)))
            assert max(asked_pages(server)) >= 9


def test_a_list_that_is_not_sorted_is_read_to_its_end(archive):
    days = ["2019-08-20", *["2019-08-30"] * 41, *["2019-07-01"] * 7, "2019-08-30"]  # the seven are a page
    known = {f"{9000 - place}": Status.OPEN for place in range(len(days) - 1)}
    with serve(answer_long_lists(days)) as server:
        items = list(crawl_bluehouse(server, archive, MemoryLedger(known, covered_until=date(2019, 9, 1))))
    assert f"{9000 - len(days) + 1}" in [item.source_id for item in items]


@pytest.mark.slow
def test_a_killed_crawl_goes_on_at_its_page_and_asks_for_nothing_again(archive):
    with serve(answer_long_lists(["2019-08-30"] * 500)) as server:
        ledger = MemoryLedger()
        site = BlueHouseSite(base_url=server.url, window=WINDOW)
        for _batch in crawl_batches(site, archive, ledger, policy=POLICY):
            if len(ledger.statuses) > 250:
                break
        assert ledger.place.page >= 28
        n_stored, page = len(ledger.statuses), ledger.place.page
        server.asked.clear()
        list(crawl_batches(site, archive, ledger, policy=POLICY))
    assert len(ledger.statuses) == 500
    assert server.count("/petitions/") == 500 - n_stored
    assert asked_pages(server)[:2] == [page, page + 1]


def test_a_crawl_that_goes_on_steps_back_where_the_list_has_moved(archive):
    days = ["2019-08-30"] * 100
    ledger = MemoryLedger({f"{9000 - place}": Status.ENDED for place in range(70)}, place=Place(stage="open", page=13))
    with serve(answer_long_lists(days)) as server:
        list(crawl_bluehouse(server, archive, ledger))
    assert len(ledger.statuses) == 100
    assert asked_pages(server)[:4] == [13, 12, 10, 11]


def test_a_killed_crawl_goes_on_with_the_open_petitions_it_has_not_seen(archive):
    known = {f"{number}": Status.OPEN for number in range(100, 300)}
    with serve(answer_bluehouse([])) as server:
        ledger = MemoryLedger(known, place=Place(stage=KNOWN, after="249"))
        items = list(crawl_bluehouse(server, archive, ledger))
    assert [item.source_id for item in items] == [f"{number}" for number in range(250, 300)]
    assert not server.count("/api/")


def test_a_place_in_a_list_that_is_not_read_any_more_goes_on_behind_the_lists(archive):
    """A thorough crawl was killed in its second list; meanwhile one of another window has covered what that holds."""
    ledger = MemoryLedger({"1": Status.OPEN, "2": Status.OPEN}, place=Place(stage="ended", page=3), is_thorough=False)
    with serve(answer_bluehouse(["1", "2", "3"], ended_ids=["4"])) as server:
        items = list(crawl_bluehouse(server, archive, ledger))
    assert [item.source_id for item in items] == ["1", "2"]
    assert not server.count("/api/")
    assert ledger.place.stage == DONE


@pytest.mark.parametrize("stage", ["a list of another name", DONE])
def test_a_place_of_another_version_of_the_code_begins_with_the_first_list(archive, stage):
    ledger = MemoryLedger({"1": Status.OPEN}, place=Place(stage=stage, page=9, after="2"))
    with serve(answer_bluehouse(["1", "2"], ended_ids=["3"])) as server:
        items = list(crawl_bluehouse(server, archive, ledger))
    assert sorted(item.source_id for item in items) == ["1", "2", "3"]
    assert ledger.place.stage == DONE


def test_an_ended_petition_is_asked_for_again_when_the_list_says_that_it_was_answered(archive):
    row = assembly_row(
        sttusCode="CMIT_FRWRD", resultCode="ALTRV_DSUSE", agreBeginDe="2019-08-02", agreEndDe="2019-08-30"
    )

    def answer(path, nth):
        if path.startswith("/api/petits?"):
            return Page(json.dumps([row] if "pageIndex=1&" in path else []).encode())
        return Page(json.dumps(row).encode())

    for status, n_asked in (
        (Status.ENDED, 1),
        (Status.ANSWERED, 1),
    ):  # the second as the sample, once the lists are read
        with serve(answer) as server:
            site = AssemblySite(base_url=server.url, window=WINDOW, today=date(2019, 9, 1))
            batches = list(crawl_batches(site, archive, MemoryLedger({row["petitId"]: status}), policy=POLICY))
        (asked,) = (batch for batch in batches if batch.items)
        assert asked.items[0].status is Status.ANSWERED
        assert asked.place.stage == ("open" if status is Status.ENDED else "sample")
        assert server.count("/api/petits/") == n_asked


def test_hidden_and_vanished_petitions_are_told_apart_and_kept(archive):
    pages = {"1": Page(hidden_page()), "2": Page(b"<html></html>", status=404)}
    with serve(answer_bluehouse(["1", "2", "3"], pages)) as server:
        hidden, vanished, petition = crawl_bluehouse(server, archive)
    assert isinstance(hidden, Hidden)
    assert (hidden.source_id, hidden.is_vanished) == ("1", False)
    assert archive.read_answer(hidden.artifact).body == hidden_page()
    assert isinstance(vanished, Hidden)
    assert (vanished.source_id, vanished.is_vanished) == ("2", True)
    assert archive.read_answer(vanished.artifact).status == 404
    assert isinstance(petition, Petition)


def test_petitions_that_vanish_all_at_once_are_a_site_that_has_changed(archive):
    known = {f"{number}": Status.OPEN for number in range(100, 140)}
    gone = {number: Page(b"", status=404) for number in known}
    with serve(answer_bluehouse(["1"], gone)) as server:
        ledger = MemoryLedger(dict(known))
        with pytest.raises(SiteChangedError, match="the site knows no such petition"):
            list(crawl_bluehouse(server, archive, ledger))
    assert {ledger.statuses[number] for number in known} == {Status.OPEN}


@pytest.mark.parametrize(("n_open", "n_gone", "is_mass"), [(40, 2, False), (3, 2, False), (3, 3, True), (8, 5, True)])
def test_a_few_petitions_may_vanish_but_not_most_of_them(archive, n_open, n_gone, is_mass):
    known = [f"{number}" for number in range(100, 100 + n_open)]
    gone = {number: Page(b"", status=404) for number in known[:n_gone]}
    with serve(answer_bluehouse([], gone, ended_ids=known)) as server:
        ledger = MemoryLedger(dict.fromkeys(known, Status.OPEN), place=Place(stage=KNOWN))
        try:
            list(crawl_bluehouse(server, archive, ledger))
        except SiteChangedError:
            assert is_mass
    hidden = [number for number in known if ledger.statuses[number] is Status.HIDDEN]
    assert hidden == ([] if is_mass else known[:n_gone])


def test_a_night_with_little_news_reads_few_pages_past_it(archive):
    days = ["2019-08-31"] * 3 + ["2019-08-30"] * 200
    known = {f"{9000 - place}": Status.OPEN for place in range(3, 203)}
    with serve(answer_long_lists(days)) as server:
        site = BlueHouseSite(base_url=server.url, window=WINDOW)
        ledger = MemoryLedger(known, covered_until=date(2019, 8, 31))
        list(crawl_batches(site, archive, ledger, policy=POLICY, connections=16))
    assert sorted(asked_pages(server)) == [1, 2, 3, 4]


def test_an_empty_list_is_not_believed_while_petitions_are_open(archive):
    known = {f"{number}": Status.OPEN for number in range(10)}
    with (
        serve(answer_bluehouse([])) as server,
        pytest.raises(SiteChangedError, match="the list is empty, but 10 petitions"),
    ):
        list(crawl_bluehouse(server, archive, MemoryLedger(known)))


def test_what_brought_no_petition_lately_is_tried_again_and_does_not_count(archive):
    known = {f"{number}": Status.OPEN for number in range(100, 160)}
    bad = {f"{number}": Page(bluehouse_page(title="")) for number in range(1, 9)}
    with serve(answer_bluehouse([*known], bad)) as server:
        urls = [f"{server.url}/petitions/{number}" for number in range(1, 10)]
        ledger = MemoryLedger(dict(known), rejected=[*urls[3:], f"{server.url}/api/petitions/list"])
        items = list(crawl_bluehouse(server, archive, ledger))
    assert [item.source_id for item in items if item.url == urls[8]] == ["9"]
    assert sum(isinstance(item, Reject) for item in items) == 5


def test_garbage_is_asked_for_again_before_it_counts(archive):
    pages = {"1": lambda nth: Page(b"<html>" if nth < 2 else bluehouse_page()), "2": Page(b"<html>garbage")}
    with serve(answer_bluehouse(["1", "2", "3"], pages)) as server:
        healed, bad, _ = crawl_bluehouse(server, archive)
    assert isinstance(healed, Petition)
    assert isinstance(bad, Reject)
    assert f"{server.url}/petitions/2" in bad.reason
    assert archive.read_answer(bad.artifact).body == b"<html>garbage"
    assert server.count("/petitions/2") == POLICY.parse_tries


def test_pages_of_a_mirror_that_adds_to_them_are_asked_for_once(archive):
    ids = [str(number) for number in range(1, 13)]
    page = Page(bluehouse_page() + b"<!-- mirrored \xff --><script>track()</script>")
    with serve(answer_bluehouse(ids, dict.fromkeys(ids, page))) as server:
        items = list(crawl_bluehouse(server, archive))
    assert [item.source_id for item in items] == ids
    assert server.count("/petitions/") == 12


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


def test_a_few_petitions_that_are_all_bad_stop_the_crawl_before_they_are_stored(archive):
    pages = {str(number): Page(b"<html>") for number in range(10)}
    with serve(answer_bluehouse([*pages], pages)) as server, pytest.raises(SiteChangedError, match="/petitions/9"):
        list(crawl_bluehouse(server, archive))


def test_a_site_on_which_every_petition_fails_alike_is_given_up_soon_and_told_of_once(archive, caplog):
    ids = [str(number) for number in range(100, 150)]
    pages = dict.fromkeys(ids, Page(bluehouse_page(title="")))
    site_policy = RetryPolicy(timeout_s=5.0)
    with serve(answer_bluehouse(ids, pages)) as server, pytest.raises(SiteChangedError, match="the site has changed"):
        list(crawl_batches(BlueHouseSite(base_url=server.url, window=WINDOW), archive, policy=site_policy))
    n_asked = server.count("/petitions/")
    # 24 answers, those on their way meanwhile, and each once more; 400 where each is asked for eight times.
    assert FEWEST_BAD <= n_asked < 80
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    (first,) = [line for line in told if "first of its kind" in line]
    assert f"{server.url}/petitions/" in first and ".petitionsView_title" in first
    assert len([line for line in told if "no more is asked for twice" in line]) == 1


def test_garbage_by_chance_is_asked_for_again_to_the_end(archive):
    ids = [str(number) for number in range(100, 160)]
    broken = {number: lambda nth: Page(b"<html>" if nth < 2 else bluehouse_page()) for number in ids[:40]}
    with serve(answer_bluehouse(ids, broken)) as server:
        items = list(crawl_batches(BlueHouseSite(base_url=server.url, window=WINDOW), archive))
    assert all(isinstance(item, Petition) for batch in items for item in batch.items)


def test_a_fault_is_told_without_what_was_found_in_the_answer(archive, caplog):
    pages = {"2": Page(bluehouse_page(begin="지어낸 제목"))}
    with serve(answer_bluehouse(["1", "2", "3"], pages)) as server:
        list(crawl_bluehouse(server, archive))
    assert "found …" in caplog.text
    assert "지어낸 제목" not in caplog.text


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


def test_a_site_that_stops_answering_stops_the_crawl_and_what_came_is_kept(archive):
    ids, items, asked = [str(number) for number in range(150)], [], []

    def answer(path, nth):
        asked.append(path)
        return Page(status=500) if len(asked) > 123 else answer_bluehouse(ids)(path, nth)

    missing = r"no answer in 3 tries, the last one: status 500; at least \d+ petitions are still to be read"
    with serve(answer) as server, pytest.raises(FetchError, match=missing):
        for item in crawl_bluehouse(server, archive):
            items.append(item)
    assert 115 <= len(items) <= 122


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (Page(b"error", status=500), "answered with status 500"),
        (Page(b"Bad Request", status=400), "answered with status 400"),
        (Page(b"half", promised=99), "the answer is not whole"),
        (Page(status=302, headers={"Location": "https://elsewhere.test/login"}), "leads to another host"),
        (Page(status=302, headers={"Location": "https://["}), "leads to no address"),
    ],
)
def test_one_petition_without_an_answer_is_set_aside_and_the_others_come(archive, odd, reason):
    ids = [str(number) for number in range(40)]
    with serve(answer_bluehouse(ids, {"7": odd})) as server:
        ledger = MemoryLedger()
        items = list(crawl_bluehouse(server, archive, ledger))
    (aside,) = (item for item in items if isinstance(item, Reject))
    assert sum(isinstance(item, Petition) for item in items) == 39
    assert (aside.is_aside, aside.url) == (True, f"{server.url}/petitions/7")
    assert reason in aside.reason
    assert ledger.place.stage == DONE
    assert bool(aside.artifact) == bool(odd.body and odd.promised is None)
    if aside.artifact:
        assert archive.read_answer(aside.artifact).body == odd.body


def test_a_petition_set_aside_is_tried_again_with_fewer_requests_and_counts_no_second_time(archive):
    policy = RetryPolicy(timeout_s=5.0)
    ids = [str(number) for number in range(12)]
    asides = {number: Page(b"error", status=500) for number in ids[:2]}
    known = dict.fromkeys(ids[4:], Status.ENDED)
    for n_tries, rejected in ((policy.aside_tries, []), (policy.odd_tries, ids[:2])):
        with serve(answer_bluehouse(ids, asides)) as server:
            site = BlueHouseSite(base_url=server.url, window=WINDOW)
            ledger = MemoryLedger(dict(known), rejected=[f"{server.url}/petitions/{number}" for number in rejected])
            # One after the other: the faults of one beside the other may be taken for the site's, and are tried on.
            batches = crawl_batches(site, archive, ledger, policy=policy, connections=1)
            items = [item for batch in batches for item in batch.items]
        assert [server.count(f"/petitions/{number}") for number in ids[:2]] >= [n_tries, n_tries]
        assert server.count("/petitions/0") == n_tries
        assert sum(isinstance(item, Reject) for item in items) == 2
        assert ledger.place.stage == DONE


def test_an_odd_petition_comes_on_the_night_on_which_it_has_an_answer(archive):
    with serve(answer_bluehouse(["1", "2"])) as server:
        ledger = MemoryLedger(rejected=[f"{server.url}/petitions/1"])
        items = list(crawl_bluehouse(server, archive, ledger))
    assert [item.source_id for item in items] == ["1", "2"]


def test_petitions_without_an_answer_stop_the_crawl_where_they_are_most_though_lists_come(archive):
    ids = [str(number) for number in range(100)]
    for odd_ids, others in ((ids, 0), (ids[:3], 2)):
        pages = {number: Page(b"error", status=500) for number in odd_ids}
        with serve(answer_bluehouse(ids[: len(odd_ids) + others], pages)) as server:
            with pytest.raises(FetchError, match="lists"):
                list(crawl_bluehouse(server, archive))
            assert server.count("/petitions/") < 3 * 20


def test_what_is_odd_every_night_does_not_stop_a_quiet_one(archive):
    """Three petitions that the site lists and does not know are most of the batch, and not for the first time."""
    pages = {number: Page(b"", status=404) for number in ("1", "2", "3")} | {"4": Page(bluehouse_page(title=""))}
    with serve(answer_bluehouse(["1", "2", "3", "4", "5"], pages)) as server:
        ledger = MemoryLedger(rejected=[f"{server.url}/petitions/{number}" for number in "1234"])
        items = list(crawl_bluehouse(server, archive, ledger))
    assert [type(item) for item in items] == [Hidden, Hidden, Hidden, Reject, Petition]
    assert ledger.place.stage == DONE


def test_ten_that_are_odd_every_night_do_not_end_a_batch_before_the_others(archive):
    odd = {str(number): Page(bluehouse_page(title="")) for number in range(12)}
    with serve(answer_bluehouse([*odd, "50", "51"], odd)) as server:
        ledger = MemoryLedger(rejected=[f"{server.url}/petitions/{number}" for number in odd])
        items = list(crawl_bluehouse(server, archive, ledger))
    assert [type(item) for item in items] == [Reject] * 12 + [Petition] * 2
    assert archive.read_answer(items[-1].artifact).body == bluehouse_page()


def test_an_answer_with_nothing_in_it_is_believed_the_second_time_as_404_is(archive):
    rows = [assembly_row(petitId=f"{n:032X}", agreBeginDe="2019-08-02", agreEndDe="2019-08-30") for n in range(10)]
    by_id = {row["petitId"]: row for row in rows}
    empty = {rows[0]["petitId"]: [b"null"], rows[1]["petitId"]: [b"{}"], rows[2]["petitId"]: [b""]}
    heals = rows[3]["petitId"]

    def answer(path, nth):
        if path.startswith("/api/petits?"):
            return Page(json.dumps(rows if "pageIndex=1&" in path else []).encode())
        source_id = AssemblySite(base_url="", window=WINDOW, today=date(2019, 9, 1)).find_petition(path)
        if source_id in empty or (source_id == heals and not nth):
            return Page(empty.get(source_id, [b"null"])[0])
        return Page(json.dumps(by_id[source_id]).encode())

    with serve(answer) as server:
        site = AssemblySite(base_url=server.url, window=WINDOW, today=date(2019, 9, 1))
        items = [item for batch in crawl_batches(site, archive, policy=POLICY) for item in batch.items]
        assert {source_id: server.count(f"/api/petits/{source_id}") for source_id in [*empty, heals]} == dict.fromkeys(
            [*empty, heals], 2
        )
    gone = {item.source_id for item in items if isinstance(item, Hidden) and item.is_vanished}
    assert gone == set(empty)
    assert sum(isinstance(item, Petition) for item in items) == 7


def test_a_list_that_stops_answering_is_named_with_its_page(archive):
    def answer(path, nth):
        return Page(status=503) if "page=2" in path else Page(bluehouse_list(*"1234567"))

    with serve(answer) as server, pytest.raises(FetchError, match="the list open is not read from page 2 on"):
        list(crawl_bluehouse(server, archive))


def test_petitions_outside_the_window_are_not_asked_for(archive):
    days = ["2019-09-01"] * 7 + ["2019-08-31"] * 7 + ["2019-08-01"] * 7 + ["2019-07-31"] * 30
    with serve(answer_long_lists(days, days)) as server:
        items = list(crawl_bluehouse(server, archive))
    assert len(items) == 28
    assert max(asked_pages(server)) <= 5
