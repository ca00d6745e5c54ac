"""Small servers for answers of a test's own, and a clock that runs fast."""

import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from petitions.crawl.stopping import StoppableClock


class FastClock(StoppableClock):
    """Runs `speed` times as fast as the clock on the wall, and remembers how long it was slept by."""

    def __init__(self, speed: float = 1_000) -> None:
        super().__init__()
        self.speed, self.pauses = speed, list[float]()

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    def time(self) -> float:
        return 1_566_000_000.0

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        super().sleep(seconds / self.speed)


class StillClock(FastClock):
    """Moves on by what is slept alone: for one thread, and whatever else this machine does."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += seconds


@dataclass(frozen=True)
class Page:
    """One answer. `promised` is the Content-Length, where it is not the body's."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None


@dataclass
class SiteServer:
    """A running server: its URL, and the requests that came, as (path with query, header values)."""

    url: str
    asked: list[tuple[str, dict[str, str]]]
    times: list[float] = field(default_factory=list)  # of time.monotonic(), when each request came
    n_connections: int = 0

    def count(self, path: str) -> int:
        return sum(asked.startswith(path) for asked, _ in self.asked)


@contextmanager
def serve(
    answer: Callable[[str, int], Page],
    robots: str | Page = "",
    tls: ssl.SSLContext | None = None,
    login: str = "",
) -> Iterator[SiteServer]:
    """Answer each request by `answer(path with query and posted form, how often it was asked for before)`.

    A proxy too: of a CONNECT the path is "host:port". Where there is a login, "user:password", who does not bring it is
    answered with 401 (RFC 7617).
    """
    authorization = f"Basic {b64encode(login.encode()).decode()}"
    rules = robots if isinstance(robots, Page) else Page(robots.encode())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece

        def setup(self) -> None:
            server.n_connections += 1
            if tls:
                self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def do_GET(self) -> None:
            server.times.append(time.monotonic())
            posted = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            path = f"{self.path}?{posted}" if posted else self.path
            nth = sum(asked == path for asked, _ in server.asked)
            server.asked.append((path, dict(self.headers)))
            page = rules if path == "/robots.txt" else answer(path, nth)
            if login and self.headers["Authorization"] != authorization:
                page = Page(status=401, headers={"WWW-Authenticate": 'Basic realm="mirror"'})
            self.send_response(page.status)
            self.send_header("Content-Length", str(len(page.body) if page.promised is None else page.promised))
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)
            self.close_connection = page.promised is not None

        do_POST = do_CONNECT = do_GET

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.handle_error = lambda *_: None  # of a handshake that the other side gave up
    server = SiteServer(f"http{'s' if tls else ''}://127.0.0.1:{http.server_address[1]}", [])
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


@contextmanager
def serve_without_end(first: bytes, again: bytes, pause_s: float = 0.0) -> Iterator[str]:
    """Answer whatever comes with some bytes and then with others for ever, one lot a pause; gives the URL."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(connection: socket.socket) -> None:
            try:
                connection.recv(65_536)
                connection.sendall(first)
                while not is_over.wait(pause_s):
                    connection.sendall(again)
            except OSError:
                pass
            finally:
                connection.close()

        def accept() -> None:
            while not is_over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            is_over.set()
            listener.shutdown(socket.SHUT_RDWR)
