"""What no further try can mend is told at once, by its cause and the setting that mends it; the rest is tried again."""

import socket
from contextlib import closing

import pytest
from authority import Authority
from site_server import FastClock, Page, serve

from own_pace import Limiter
from petitions.crawl.fetcher import Fetcher
from petitions.crawl.policy import RetryPolicy
from petitions.errors import ConfigError, FetchError, SiteChangedError
from petitions.privacy import redact_error
from petitions.settings import Settings
from petitions.sources.site import Request

TRIES = 3
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
SECRET = "s3cret"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    for name in (*PROXIES, *map(str.lower, PROXIES), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def fetch(url):
    clock = FastClock()
    policy = RetryPolicy(tries=TRIES, timeout_s=5.0)
    with closing(Fetcher(url, contact="", limiter=Limiter(1e6, clock), policy=policy, clock=clock)) as fetcher:
        fetcher.fetch(Request(url=f"{url}/page"))
        return clock.pauses


def ok(path, nth):
    return Page(b"ok")


def test_a_certificate_of_an_authority_that_is_not_known_is_told_with_the_setting_that_mends_it(
    authority, surroundings
):
    with serve(ok, tls=authority.make_context()) as site:
        told = r"/robots.txt: its certificate is not believed \(unable to get local"
        with pytest.raises(ConfigError, match=told) as caught:
            fetch(site.url)
        assert "REQUESTS_CA_BUNDLE" in str(caught.value)
        assert (site.asked, site.n_connections) == ([], 1)
        surroundings.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
        fetch(site.url)
        assert site.count("/page") == 1


def test_certificates_that_expired_or_are_for_another_name_are_told_so(authority, surroundings):
    surroundings.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
    for told, context in (
        (r"has expired\); is the clock", authority.make_context(days=-1)),
        (r"mismatch.*\); the address must be by the name", authority.make_context(address="127.0.0.2")),
    ):
        with serve(ok, tls=context) as site, pytest.raises(ConfigError, match=told):
            fetch(site.url)


def test_a_file_of_certificates_that_is_none_is_told_by_its_variable(authority, surroundings, tmp_path):
    (tmp_path / "text").write_text("no certificate")
    with serve(ok, tls=authority.make_context()) as site:
        for name in ("nowhere.pem", "text"):
            surroundings.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / name))
            with pytest.raises(ConfigError, match=f"REQUESTS_CA_BUNDLE must name a file .*{name}"):
                fetch(site.url)


def test_a_site_that_speaks_no_tls_is_told_so():
    with serve(ok) as site, pytest.raises(ConfigError, match="it does not speak TLS: should its address begin with"):
        fetch(site.url.replace("http://", "https://"))


@pytest.mark.parametrize(
    "value",
    ["http://[bad", "proxy:notaport", "http://u:s3cret@proxy:notaport", "htp://u:s3cret@proxy:1", "socks5://proxy:1",
     "://", "http://", "http://127.0.0.1:99999", "http:127.0.0.1:1", "no address"],
)  # fmt: skip
def test_a_proxy_that_is_no_address_is_told_by_its_variable_and_without_its_value(value, surroundings):
    for name, scheme in (("HTTPS_PROXY", "https"), ("HTTP_PROXY", "http"), ("ALL_PROXY", "http")):
        with surroundings.context() as own:
            own.setenv(name, value)
            with pytest.raises(ConfigError, match=f"^{name} must be the address of a proxy, such as") as caught:
                fetch(f"{scheme}://127.0.0.1:1")
            assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "told"), [(407, "HTTPS_PROXY must hold name and password"), (403, "HTTPS_PROXY names refuses .* 403")]
)
def test_a_proxy_that_refuses_is_told_so(status, told, surroundings):
    with serve(lambda path, nth: Page(status=status)) as proxy:
        surroundings.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//u:{SECRET}@"))
        with pytest.raises(ConfigError, match=told) as caught:
            fetch("https://site.test")
    assert SECRET not in str(caught.value)
    assert len(proxy.asked) == 1


def test_a_proxy_that_asks_for_a_name_on_the_way_to_an_http_site_is_told_so(surroundings):
    asks = Page(status=407)
    with serve(lambda path, nth: asks, asks) as proxy:
        surroundings.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(ConfigError, match="HTTP_PROXY must hold name and password"):
            fetch("http://site.test")
    assert len(proxy.asked) == 1


def test_a_proxy_that_is_asked_for_tls_and_speaks_none_is_told_so(surroundings):
    with serve(ok) as proxy:
        surroundings.setenv("HTTPS_PROXY", proxy.url.replace("http://", "https://"))
        with pytest.raises(ConfigError, match=r"HTTPS_PROXY must begin with http://|does not speak TLS"):
            fetch("https://site.test")


@pytest.mark.parametrize("location", ["http://[bad/", "http://[비밀]/", "//[::1"])
def test_a_redirect_to_what_is_no_address_is_told_at_once_and_not_to_readers(location):
    away = Page(status=302, headers={"Location": location.encode().decode("latin-1")})
    with serve(lambda path, nth: away) as site, pytest.raises(SiteChangedError, match="leads to no address") as caught:
        fetch(site.url)
    assert site.count("/page") == 1
    assert redact_error(caught.value) == f"{site.url}/page: it leads to no address, found …"


def test_a_redirect_to_another_host_or_to_what_is_forbidden_quotes_it_only_to_the_operator():
    for location, rules, error in (
        ("http://elsewhere.test/비밀", "", FetchError),
        ("/secret", "User-agent: *\nDisallow: /secret\n", ConfigError),
    ):
        away = Page(status=302, headers={"Location": location.encode().decode("latin-1")})
        with serve(lambda path, nth, away=away: away, rules) as site, pytest.raises(error) as caught:
            fetch(site.url)
        assert f"{site.url}/page" in str(caught.value)
        assert redact_error(caught.value).endswith("found …")
        assert site.count("/secret") == 0


@pytest.mark.parametrize("url", ["http://a b", "ftp://127.0.0.1:1", "http://[bad"])
def test_an_address_that_cannot_be_asked_is_told_at_once(url):
    with pytest.raises(ConfigError, match="this is no address that can be asked"):
        fetch(url)


def test_what_may_heal_is_tried_again_and_told_by_its_cause():
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(FetchError, match=f"no answer in {TRIES} tries, the last one: nothing listens there"):
        fetch(url)
    cut = Page(b"half", promised=9)
    with serve(lambda path, nth: cut) as site, pytest.raises(FetchError, match="the last one: the answer is not whole"):
        fetch(site.url)
    packed = Page(b"x", headers={"Content-Encoding": "br"})
    with serve(lambda path, nth: packed) as site, pytest.raises(FetchError, match="packed as 'br'"):
        fetch(site.url)


def test_a_proxy_that_is_down_may_heal(surroundings):
    surroundings.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(FetchError, match=f"{TRIES} tries, the last one: by the proxy that .* nothing listens there"):
        fetch("http://site.test")


@pytest.mark.parametrize(
    "url",
    ["http://[bad", "http://[::1", "http://host:notaport", "http://host:0", "http://", "https://u:s3cret@:1", "ftp://x",
     "http://a b"],
)  # fmt: skip
def test_a_site_whose_address_is_none_is_refused_by_its_setting(url):
    with pytest.raises(ConfigError, match="PETITIONS_ASSEMBLY_URL must be an http") as caught:
        Settings.from_env({"PETITIONS_ASSEMBLY_URL": url})
    assert SECRET not in str(caught.value)
    with pytest.raises(ConfigError, match="PETITIONS_NOTIFY_WEBHOOK must be an http"):
        Settings.from_env({"PETITIONS_NOTIFY_WEBHOOK": url})
