"""One exchange with one host over `requests`, bounded in bytes and in seconds, whatever the other side sends.

`requests` and urllib3 alone do not bound it: a timeout counts between two reads, so that a byte every 29 s is never
late; answers 100 Continue are read without end; the body of a redirect is read and unpacked whole even where none is
followed; and gzip in gzip, or gzip members that are empty, keep `read1` busy without giving a byte back. So the bytes
from the socket are counted against a deadline here, redirects are left unread, and one layer of gzip is unpacked here.
"""

import http.client
import io
import socket
import time
import zlib
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.exceptions import ContentDecodingError, InvalidHeader
from urllib3.util import make_headers

from petitions.addresses import Login, split_login
from petitions.crawl.causes import check_surroundings
from petitions.crawl.policy import MAX_BODY_BYTES
from petitions.errors import ConfigError, FetchError
from petitions.sources.fields import shorten

TIMEOUTS = 2  # a whole answer may take so many times as long as one read of it
_MOST_WIRE_BYTES = 2 * MAX_BODY_BYTES  # of one answer with its status lines, headers, chunk lines and trailers
_MOST_HEADER_BYTES = 65_536
_CHUNK_BYTES = 65_536
_GZIP = 16 + zlib.MAX_WBITS
_MOST_MEMBERS = 100  # one for each chunk that a server flushed, at most; each is copied to be unpacked
_PORTS = {"http": 80, "https": 443}


class _BoundedReader(io.RawIOBase):
    """The bytes of one answer, as long as they come in time and are not too many."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock, self._timeout_s = raw, sock, sock.gettimeout() or 0.0
        self._deadline = time.monotonic() + TIMEOUTS * self._timeout_s
        self._n_left = _MOST_WIRE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError(f"the answer took over {TIMEOUTS * self._timeout_s:.0f} s")
        if self._n_left <= 0:
            raise OSError(f"the answer has over {_MOST_WIRE_BYTES} bytes")
        self._sock.settimeout(min(self._timeout_s, left_s))
        n_read = self._raw.readinto(buffer)
        self._n_left -= n_read or 0
        return n_read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock))


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _BoundedResponse


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _BoundedResponse


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class _BoundedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """The credentials of a proxy in UTF-8; `requests` itself fails at those that are not in Latin-1."""
        login = split_login(proxy)[1]
        return make_headers(proxy_basic_auth=":".join(login.for_requests)) if login else {}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class BoundedSession(requests.Session):
    """A session of one caller at a time: one connection that is kept, its cookies, and the caller's headers."""

    def __init__(self, base_url: str, user_agent: str, login: Login | None = None) -> None:
        """Prepare a session; nothing is sent yet.

        Raises:
            ConfigError: the address cannot be, or the proxy or the certificates that the environment names.
        """
        super().__init__()
        try:
            self._base_url, self._home = base_url, _locate(base_url)
        except FetchError:
            raise ConfigError(f"{base_url}: this is no address that can be asked") from None
        # Proxies and certificates of the environment are read once and not at each request; .netrc is never read.
        self._settings = self.merge_environment_settings(base_url, {}, True, None, None)
        check_surroundings(base_url, self._settings["proxies"], self._settings["verify"])
        self.trust_env = False
        self.auth = login.for_requests if login else None
        self.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip"})
        for scheme in ("http://", "https://"):
            self.mount(scheme, _BoundedAdapter(pool_connections=1, pool_maxsize=1))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Tell requests of no redirect: it would read the whole body of one before it hands it over."""

    def exchange(self, request: requests.Request, timeout_s: float) -> tuple[requests.Response, bytes, bool]:
        """Send a request and read the answer.

        Returns:
            The response, closed; its unpacked body of at most MAX_BODY_BYTES; and whether the body went on past them.

        Raises:
            FetchError: the URL leads to another host than that of the session.
            requests.RequestException: no connection, too late, too big, not whole, or packed in another way than gzip.
            urllib3.exceptions.HTTPError: the same, met in the body.
        """
        self._check_host(request.url)
        with self.send(self._prepare(request), timeout=timeout_s, allow_redirects=False, **self._settings) as response:
            if sum(map(len, response.headers.keys())) + sum(map(len, response.headers.values())) > _MOST_HEADER_BYTES:
                raise InvalidHeader(f"over {_MOST_HEADER_BYTES} bytes of headers")
            body, is_cut = _read_body(response.raw)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if body and encoding in ("gzip", "x-gzip"):
            body, is_cut = _unpack(body, is_cut)
        elif body and encoding != "identity":
            raise ContentDecodingError(f"packed as {encoding[:40]!r}, asked for gzip alone")
        return response, body, is_cut

    def _prepare(self, request: requests.Request) -> requests.PreparedRequest:
        """As `prepare_request`, which merges besides what no request of ours has: own cookies, parameters, hooks."""
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=request.url,
            headers={**self.headers, **request.headers},
            data=request.data,
            auth=self.auth,
            cookies=self.cookies,
        )
        return prepared

    def _check_host(self, url: str) -> None:
        """Refuse another host than the configured one; from its http to its https is no other host."""
        (scheme, *who, port), (home_scheme, *home_who, home_port) = _locate(url), self._home
        is_upgrade = (home_scheme, scheme, home_port, port) == ("http", "https", 80, 443)
        if who != home_who or not (is_upgrade or (scheme, port) == (home_scheme, home_port)):
            raise FetchError(f"it leads to another host than that of {self._base_url}, found {shorten(url)}")


def _locate(url: str) -> tuple[str, str | None, str | None, int | None]:
    """Scheme, user, host and port, by the parser that the request is sent by: another one may read a URL otherwise.

    Raises:
        FetchError: it cannot be told, or a backslash makes it doubtful, where the URL leads.
    """
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError as error:
        raise FetchError(f"it leads to no address, found {shorten(url)}") from error
    if "\\" in url:
        raise FetchError(f"it leads to no address, found {shorten(url)}")
    scheme = parts.scheme or ""
    return scheme, parts.auth, parts.host, parts.port or _PORTS.get(scheme)


def _read_body(raw: urllib3.HTTPResponse) -> tuple[bytes, bool]:
    """The body as it came, up to MAX_BODY_BYTES, and whether there is more."""
    chunks, size = [], 0
    while size <= MAX_BODY_BYTES and (chunk := raw.read1(_CHUNK_BYTES, decode_content=False)):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)[:MAX_BODY_BYTES], size > MAX_BODY_BYTES


def _unpack(packed: bytes, is_cut: bool) -> tuple[bytes, bool]:
    """Unpack gzip of one member or a few, one behind the other (RFC 1952, 2.2); padding by NUL is let go."""
    chunks, n_left = list[bytes](), MAX_BODY_BYTES + 1
    for _ in range(_MOST_MEMBERS):
        unpacker = zlib.decompressobj(_GZIP)
        try:
            chunks.append(unpacker.decompress(packed, n_left))
        except zlib.error as error:
            raise ContentDecodingError(f"no gzip: {error}") from error
        n_left -= len(chunks[-1])
        packed = unpacker.unused_data.lstrip(b"\0")
        if not n_left or not unpacker.eof or not packed:
            break
    if not n_left or is_cut:
        return b"".join(chunks)[:MAX_BODY_BYTES], True
    if not unpacker.eof or packed:
        raise ContentDecodingError("the gzip stream is not whole, or has very many members")
    return b"".join(chunks), False
