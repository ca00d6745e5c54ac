import gzip
from contextlib import closing

import pytest
from site_server import FastClock, Page, serve

from petitions.crawl.fetcher import Fetcher, name_user_agent
from petitions.crawl.limiter import Limiter
from petitions.crawl.policy import RetryPolicy
from petitions.errors import ConfigError, FetchError
from petitions.sources.site import Request

POLICY = RetryPolicy(tries=4, timeout_s=5.0)


def fetch(url, path="/page", *, clock=None, per_second=1e6, **request):
    clock = clock or FastClock()
    limiter = Limiter(per_second, clock)
    with closing(Fetcher(url, contact="ops@site.test", limiter=limiter, policy=POLICY, clock=clock)) as fetcher:
        return fetcher.fetch(Request(url=url + path, **request))


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
    clock = FastClock()
    with serve(lambda path, nth: Page(status=500) if nth < 3 else Page(b"ok")) as site:
        fetch(site.url, clock=clock)
    first, second, third = (pause for pause in clock.pauses if pause > 0.5)
    assert 1 <= first <= 2 <= second <= 3 < 4 <= third <= 5


@pytest.mark.parametrize("value", ["7", "Sat, 17 Aug 2019 00:00:07 GMT"])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(value):
    clock = FastClock()  # its day is 2019-08-17, 00:00:00 UTC
    with serve(lambda path, nth: Page(b"ok", 200 if nth else 429, {"Retry-After": value})) as site:
        fetch(site.url, clock=clock)
    assert max(clock.pauses) == pytest.approx(7)


def test_retry_after_is_capped_and_nonsense_is_passed_over():
    clock = FastClock(100_000)
    with serve(lambda path, nth: Page(b"ok", 200 if nth else 503, {"Retry-After": "999999"})) as site:
        fetch(site.url, clock=clock)
    assert max(clock.pauses) <= POLICY.longest_block_s + 1
    with serve(lambda path, nth: Page(b"ok", 200 if nth else 503, {"Retry-After": "soon"})) as site:
        assert fetch(site.url).body == b"ok"


def test_a_block_is_waited_out_with_growing_pauses_that_hold_every_thread():
    clock = FastClock(10_000)
    with serve(lambda path, nth: Page(b"ok", 200 if nth >= 3 else 403)) as site:
        fetch(site.url, clock=clock)
    long = [round(pause, -1) for pause in clock.pauses if pause > 30]
    assert long[:1] == [60]
    assert {120, 240} <= set(long)


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


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_big_body_is_cut_off_and_marked(is_packed):
    body = b"x" * 20_000_000
    page = Page(gzip.compress(body), headers={"Content-Encoding": "gzip"}) if is_packed else Page(body)
    with serve(lambda path, nth: page) as site:
        answer = fetch(site.url)
    assert answer.is_cut
    assert len(answer.body) == 5_000_000


def test_a_packed_body_arrives_unpacked():
    page = Page(gzip.compress("가로등".encode()), headers={"Content-Encoding": "gzip"})
    with serve(lambda path, nth: page) as site:
        assert fetch(site.url).body.decode() == "가로등"


def test_other_statuses_stop_at_once_and_missing_is_an_answer():
    with serve(lambda path, nth: Page(status=400)) as site, pytest.raises(FetchError, match="status 400"):
        fetch(site.url)
    assert site.count("/page") == 1
    with serve(lambda path, nth: Page(status=404)) as site:
        assert fetch(site.url).status == 404


def test_what_robots_txt_forbids_is_not_asked_for():
    rules = "User-agent: *\nDisallow: /private/\n"
    with serve(lambda path, nth: Page(b"ok"), rules) as site:
        assert fetch(site.url).body == b"ok"
        with pytest.raises(ConfigError, match="/private/1"):
            fetch(site.url, "/private/1")
    assert site.count("/private") == 0


def test_crawl_delay_spaces_the_requests():
    clock = FastClock(100)
    with serve(lambda path, nth: Page(b"ok"), "User-agent: *\nCrawl-delay: 20\n") as site:
        limiter = Limiter(1e6, clock)
        with closing(Fetcher(site.url, contact="", limiter=limiter, policy=POLICY, clock=clock)) as fetcher:
            fetcher.fetch(Request(url=f"{site.url}/1"))
            began = clock.monotonic()
            fetcher.fetch(Request(url=f"{site.url}/2"))
            fetcher.fetch(Request(url=f"{site.url}/3"))
    assert clock.monotonic() - began >= 35


def test_nothing_listens_is_a_fetch_error():
    with serve(lambda path, nth: Page()) as site:
        pass
    with pytest.raises(FetchError, match="robots.txt"):
        fetch(site.url)
