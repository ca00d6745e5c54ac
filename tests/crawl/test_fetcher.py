import gzip
import threading
import tracemalloc
import zlib
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import requests
from site_server import FastClock, Page, StillClock, serve, serve_without_end

from own_pace import Limiter
from petitions.crawl.fetcher import Fetcher, name_user_agent
from petitions.crawl.policy import MAX_BODY_BYTES, RetryPolicy
from petitions.crawl.robots import ROBOTS_BYTES
from petitions.crawl.transport import BoundedSession
from petitions.errors import ConfigError, FetchError
from petitions.sources.site import Request

POLICY = RetryPolicy(tries=4, timeout_s=5.0)


class NotedPace(Limiter):
    """Remembers what it was told of the tries."""

    def __init__(self, clock):
        super().__init__(1e6, clock)
        self.notes = []

    def note(self, seconds, is_fault):
        self.notes.append((seconds, is_fault))
        super().note(seconds, is_fault)


def fetch(url, path="/page", *, clock=None, policy=POLICY, pace=None, **request):
    clock = clock or FastClock()
    pace = pace or Limiter(1e6, clock)
    with closing(Fetcher(url, contact="ops@site.test", limiter=pace, policy=policy, clock=clock)) as fetcher:
        return fetcher.fetch(Request(url=url + path, **request))


def measure_peak(url):
    """The answer, and how many bytes Python held at most while it came."""
    tracemalloc.start()
    try:
        return fetch(url), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def bomb():
    """A gzip stream of 60 MB of zeros, some 60 kB long."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(60)) + packer.flush()


def test_the_user_agent_is_browser_like_and_names_project_and_contact():
    with serve(lambda path, nth: Page(b"ok")) as site:
        fetch(site.url)
    assert site.asked[-1][1]["User-Agent"] == "Mozilla/5.0 (compatible; petition-topics/0.1; +ops@site.test)"
    with pytest.raises(ConfigError, match="PETITIONS_CONTACT"):
        name_user_agent("운영자")


@pytest.mark.parametrize(
    "fault",
    [Page(status=500), Page(status=403), Page(status=429), Page(b"half", promised=9), Page(promised=9)],
    ids=["500", "403", "429", "cut", "empty"],
)
def test_a_fault_is_asked_for_again(fault):
    with serve(lambda path, nth: fault if nth < 2 else Page(b"whole")) as site:
        assert fetch(site.url).body == b"whole"
    assert site.count("/page") == 3


def test_after_the_stated_tries_the_error_names_url_tries_and_the_last_fault():
    with serve(lambda path, nth: Page(status=503)) as site, pytest.raises(FetchError, match=r"/page: .* 4 tries.*503"):
        fetch(site.url)
    assert site.count("/page") == 4


def test_pauses_grow():
    clock = StillClock()
    with serve(lambda path, nth: Page(status=500) if nth < 3 else Page(b"ok")) as site:
        fetch(site.url, clock=clock)
    first, second, third = (pause for pause in clock.pauses if pause > 0.5)
    assert 1 <= first <= 2 <= second <= 3 < 4 <= third <= 5


@pytest.mark.parametrize("value", ["7", "Sat, 17 Aug 2019 00:00:07 GMT"])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(value):
    clock = StillClock()  # its day is 2019-08-17, 00:00:00 UTC
    with serve(lambda path, nth: Page(b"ok", 200 if nth else 429, {"Retry-After": value})) as site:
        fetch(site.url, clock=clock)
    assert 6 < max(clock.pauses) <= 7


def test_retry_after_is_capped_and_nonsense_is_passed_over():
    clock = StillClock()
    with serve(lambda path, nth: Page(b"ok", 200 if nth else 503, {"Retry-After": "999999"})) as site:
        fetch(site.url, clock=clock)
    assert max(clock.pauses) <= POLICY.longest_block_s + 1
    with serve(lambda path, nth: Page(b"ok", 200 if nth else 503, {"Retry-After": "soon"})) as site:
        assert fetch(site.url).body == b"ok"


def test_a_block_is_waited_out_with_growing_pauses_that_hold_every_thread():
    clock = StillClock()
    with serve(lambda path, nth: Page(b"ok", 200 if nth >= 3 else 403)) as site:
        fetch(site.url, clock=clock)
    long = [pause for pause in clock.pauses if pause > 10]
    assert long == [pytest.approx(60, abs=9), pytest.approx(120, abs=9), pytest.approx(240, abs=9)]


@pytest.mark.slow
def test_a_block_that_does_not_end_gets_one_request_a_pause_from_all_threads_and_is_given_up():
    n_threads, clock, errors = 6, FastClock(200), []
    policy = RetryPolicy(block_tries=4, block_pause_s=60, longest_block_s=120, timeout_s=5)
    with serve(lambda path, nth: Page(status=403 if is_blocked.is_set() else 200)) as site:
        is_blocked, limiter = threading.Event(), Limiter(1e6, clock)
        fetcher = Fetcher(site.url, contact="", limiter=limiter, policy=policy, clock=clock)
        fetcher.fetch(Request(url=f"{site.url}/before"))
        is_blocked.set()
        n_before = len(site.times)

        def ask(number):
            with pytest.raises(FetchError, match=r"blocked|403") as caught:
                fetcher.fetch(Request(url=f"{site.url}/{number}"))
            errors.append(caught.value)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(n_threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        fetcher.close()
    times = site.times[n_before:]
    probes = times[len(times) - 3 :]  # what came before was on its way when the block began
    assert len(errors) == n_threads
    assert len(times) <= n_threads + 3
    assert [later - earlier > 110 / 200 for earlier, later in pairwise(probes)] == [True, True]
    assert times[-4] - times[0] < 30 / 200


def test_nothing_is_believed_gone_before_a_second_try_says_so_after_a_pause():
    clock = FastClock()
    with serve(lambda path, nth: Page(b"back", 200 if nth else 404)) as site:
        assert fetch(site.url, clock=clock).status == 200
    assert site.count("/page") == 2
    with serve(lambda path, nth: Page(status=410 if nth else 404)) as site:
        assert fetch(site.url, clock=clock).status == 410
    assert site.count("/page") == 2
    assert clock.pauses.count(POLICY.gone_pause_s) == 2


def test_the_pace_hears_of_successes_and_faults_and_of_nothing_else():
    clock = FastClock()
    pace = NotedPace(clock)
    statuses = [500, 404, 404]
    with serve(lambda path, nth: Page(b"ok", statuses[nth])) as site:
        fetch(site.url, clock=clock, pace=pace)
    assert [is_fault for _, is_fault in pace.notes] == [False, True]  # robots.txt, 500
    assert all(0 < seconds < POLICY.timeout_s for seconds, _ in pace.notes)


def test_an_answer_bears_the_moment_of_the_callers_clock():
    moment, clock = datetime(2019, 8, 17, tzinfo=UTC), FastClock()
    with serve(lambda path, nth: Page(b"ok")) as site:
        limiter = Limiter(1e6, clock)
        fetcher = Fetcher(site.url, contact="", limiter=limiter, policy=POLICY, clock=clock, now=lambda: moment)
        with closing(fetcher):
            assert fetcher.fetch(Request(url=f"{site.url}/page")).fetched_at == moment


def test_threads_that_ask_one_after_another_share_one_connection():
    with serve(lambda path, nth: Page(b"ok")) as site:
        limiter = Limiter(1e6, FastClock())
        with closing(Fetcher(site.url, contact="", limiter=limiter, policy=POLICY)) as fetcher:
            for number in range(3):
                thread = threading.Thread(target=fetcher.fetch, args=(Request(url=f"{site.url}/{number}"),))
                thread.start()
                thread.join()
    assert (len(site.asked), site.n_connections) == (4, 1)


def test_an_interstitial_is_followed_once_with_the_same_question():
    def answer(path, nth):
        key = b"0b42fe0c962371be_1609259362"
        page = b'<HTML><script>window.location.href="/page?a=1?wscckey=' + key + b'";</script></HEAD><BODY>'
        return Page(b"whole" if "&wscckey=0b42fe0c962371be_1609259362" in path else page)

    with serve(answer) as site:
        reply = fetch(site.url, "/page?a=1", form=(("page", "2"),))
    assert (reply.body, reply.url) == (b"whole", f"{site.url}/page?a=1")
    assert site.asked[-1][0].endswith("?page=2")


def test_redirects_stay_within_the_host():
    def answer(path, nth):
        return Page(b"there") if path == "/there" else Page(status=302, headers={"Location": "/there"})

    with serve(answer) as site:
        assert fetch(site.url).body == b"there"
    with serve(lambda path, nth: Page(b"stranger")) as other:
        away = Page(status=302, headers={"Location": f"{other.url}/there"})
        with serve(lambda path, nth: away) as site, pytest.raises(FetchError, match="another host"):
            fetch(site.url)
    assert other.asked == []


@pytest.mark.parametrize(
    "trick",
    ["http://{home}@{away}/", "//{away}/", "http://{home}\\@{away}/", "http://{away}\\@{home}/", "http://{away}#@{home}/",
     "\\\\{away}/", "http://{away}?@{home}/", "https://{home}/", "http://user@{home}/", "ftp://{home}/"],
)  # fmt: skip
def test_no_trick_of_a_redirect_leads_to_another_host(trick):
    with serve(lambda path, nth: Page(b"stranger")) as other:
        home, away = "127.0.0.1:{}", other.url.removeprefix("http://")
        with serve(lambda path, nth: Page(status=302, headers={"Location": target})) as site:
            home = site.url.removeprefix("http://")
            target = trick.format(home=home, away=away)
            with pytest.raises(FetchError, match=r"another host|no address"):
                fetch(site.url)
    assert other.asked == []
    assert site.count("/page") == 1


def test_a_site_may_move_from_http_to_https():
    session = BoundedSession("http://127.0.0.1", "test")
    with closing(session), pytest.raises(requests.RequestException):  # asked, but nothing answers
        session.exchange(requests.Request("GET", "https://127.0.0.1/"), 1.0)
    for target in ("https://127.0.0.1:444/", "http://127.0.0.1:443/", "https://127.0.0.2/"):
        with pytest.raises(FetchError, match="another host"):
            session.exchange(requests.Request("GET", target), 1.0)


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_big_body_is_cut_off_and_marked_in_bounded_memory(is_packed, bomb):
    page = Page(bomb, headers={"Content-Encoding": "gzip"}) if is_packed else Page(bytes(20_000_000))
    with serve(lambda path, nth: page) as site:
        answer, peak = measure_peak(site.url)
    assert answer.is_cut
    assert len(answer.body) == MAX_BODY_BYTES
    assert peak < 4 * MAX_BODY_BYTES


def test_the_body_of_a_redirect_is_bounded_too(bomb):
    away = Page(bomb, 302, {"Location": "/there", "Content-Encoding": "gzip"})
    with serve(lambda path, nth: Page(b"there") if path == "/there" else away) as site:
        answer, peak = measure_peak(site.url)
    assert answer.body == b"there"
    assert peak < 4 * MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"a"))),
        ("br", b"\x0b\x00\x80a\x03"),
        ("deflate", zlib.compress(b"a")),
        ("gzip", gzip.compress(b"a" * 99)[:-9]),
        ("gzip", gzip.compress(b"a") + gzip.compress(b"a" * 99)[:-9]),
        ("gzip", gzip.compress(b"a") + b"more"),
        ("gzip", gzip.compress(b"") * 101),
        ("gzip", b"no gzip at all"),
    ],
    ids=["twice", "br", "deflate", "cut", "second is cut", "more follows", "too many", "garbage"],
)
def test_packings_that_were_not_asked_for_or_are_not_whole_are_faults(encoding, body):
    bad = Page(body, headers={"Content-Encoding": encoding})
    with serve(lambda path, nth: Page(b"plain") if nth else bad) as site:
        assert fetch(site.url).body == b"plain"
    assert site.asked[-1][1]["Accept-Encoding"] == "gzip"


_HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("first", "again", "pause_s"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
        (b"", b"H", 0.01),
        (_HEAD, b"a: b\r\n", 0.0),
        (_HEAD, b"a", 0.0),
        (_HEAD, b"a", 0.01),
        (_HEAD + b"Content-Length: 999\r\n\r\n", b"a", 0.01),
        (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0", 0.01),
        (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"a: b\r\n", 0.01),
        (_HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b""), gzip.compress(b""), 0.01),
    ],
    ids=["100 Continue", "status", "headers", "header line", "slow header", "body", "chunk line", "trailer", "packed"],
)
def test_an_answer_without_end_ends(first, again, pause_s):
    policy = RetryPolicy(tries=1, timeout_s=0.05)
    with serve_without_end(first, again, pause_s) as url, pytest.raises(FetchError, match="1 tries"):
        fetch(url, policy=policy)


def test_a_flood_of_headers_is_a_fault():
    big = Page(b"ok", headers={f"X-{number}": "a" * 9_000 for number in range(9)})
    with serve(lambda path, nth: Page(b"ok") if nth else big) as site:
        assert fetch(site.url).header("X-1") == ""


def test_a_packed_body_arrives_unpacked():
    page = Page(gzip.compress("가로등".encode()), headers={"Content-Encoding": "gzip"})
    with serve(lambda path, nth: page) as site:
        assert fetch(site.url).body.decode() == "가로등"


@pytest.mark.parametrize("padding", [b"", bytes(512)])
def test_a_packed_body_of_several_members_arrives_whole(padding):
    members = b"".join(map(gzip.compress, ("가로".encode(), "등".encode()[:1], "등".encode()[1:], b"")))
    page = Page(members + padding, headers={"Content-Encoding": "gzip"})
    with serve(lambda path, nth: page) as site:
        assert fetch(site.url).body.decode() == "가로등"
    assert site.count("/page") == 1


def test_a_big_body_of_several_members_is_cut_off_and_marked(bomb):
    page = Page(bomb + bomb, headers={"Content-Encoding": "gzip"})
    small = Page(gzip.compress(bytes(MAX_BODY_BYTES - 1)) + gzip.compress(b"ab"), headers=page.headers)
    for packed in (page, small):
        with serve(lambda path, nth, packed=packed: packed) as site:
            answer = fetch(site.url)
        assert (answer.is_cut, len(answer.body)) == (True, MAX_BODY_BYTES)


def test_other_statuses_stop_at_the_second_try_and_missing_is_an_answer():
    with serve(lambda path, nth: Page(status=400)) as site, pytest.raises(FetchError, match="status 400"):
        fetch(site.url)
    assert site.count("/page") == 2
    with serve(lambda path, nth: Page(status=404)) as site:
        assert fetch(site.url).status == 404


def test_what_robots_txt_forbids_is_not_asked_for():
    rules = "User-agent: *\nDisallow: /private/\n"
    with serve(lambda path, nth: Page(b"ok"), rules) as site:
        assert fetch(site.url).body == b"ok"
        with pytest.raises(ConfigError, match="/private/1"):
            fetch(site.url, "/private/1")
    assert site.count("/private") == 0


def test_rules_behind_a_byte_order_mark_are_obeyed():
    rules = Page("\ufeffUser-agent: *\nDisallow: /private/\n".encode())
    with serve(lambda path, nth: Page(b"ok"), rules) as site, pytest.raises(ConfigError, match="forbids"):
        fetch(site.url, "/private/1")


def test_crawl_delay_spaces_the_requests():
    clock = FastClock()
    with serve(lambda path, nth: Page(b"ok"), "User-agent: *\nCrawl-delay: 20\n") as site:
        limiter = Limiter(1e6, clock)
        with closing(Fetcher(site.url, contact="", limiter=limiter, policy=POLICY, clock=clock)) as fetcher:
            fetcher.fetch(Request(url=f"{site.url}/1"))
            began = clock.monotonic()
            fetcher.fetch(Request(url=f"{site.url}/2"))
            fetcher.fetch(Request(url=f"{site.url}/3"))
    assert clock.monotonic() - began >= 35


def test_a_site_whose_rules_cannot_be_had_is_not_crawled():
    with serve(lambda path, nth: Page(b"ok"), Page(status=503)) as site, pytest.raises(FetchError, match="robots.txt"):
        fetch(site.url)
    assert [path for path, _ in site.asked] == ["/robots.txt"] * POLICY.tries


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_site_that_has_no_rules_for_us_allows_all(status):
    with serve(lambda path, nth: Page(b"ok"), Page(status=status)) as site:
        assert fetch(site.url, clock=FastClock(10_000)).body == b"ok"


def test_rules_without_end_are_read_up_to_a_bound():
    filler = "# " + "a" * ROBOTS_BYTES
    with serve(lambda path, nth: Page(b"ok"), f"User-agent: *\n{filler}\nDisallow: /\n") as site:
        assert fetch(site.url).body == b"ok"
        with pytest.raises(ConfigError):
            fetch_with_rules("User-agent: *\nDisallow: /\n" + filler)


def test_a_pace_that_no_crawl_can_keep_is_refused():
    with pytest.raises(ConfigError, match="1e[+]09 s between requests"):
        fetch_with_rules("User-agent: *\nCrawl-delay: 1000000000\n")


def fetch_with_rules(rules):
    with serve(lambda path, nth: Page(b"ok"), rules) as site:
        return fetch(site.url)


def test_nothing_listens_is_a_fetch_error():
    with serve(lambda path, nth: Page()) as site:
        pass
    with pytest.raises(FetchError, match="robots.txt"):
        fetch(site.url)
