"""A small HTTP server for answers of a test's own, and a clock that runs fast."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FastClock:
    """Runs `speed` times as fast as the clock on the wall, and remembers how long it was slept by."""

    def __init__(self, speed: float = 1_000) -> None:
        self.speed, self.pauses = speed, list[float]()

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    def time(self) -> float:
        return 1_566_000_000.0

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        time.sleep(seconds / self.speed)


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

    def count(self, path: str) -> int:
        return sum(asked.startswith(path) for asked, _ in self.asked)


@contextmanager
def serve(answer: Callable[[str, int], Page], robots: str = "") -> Iterator[SiteServer]:
    """Answer each request by `answer(path with query and posted form, how often it was asked for before)`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece

        def do_GET(self) -> None:
            posted = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            path = f"{self.path}?{posted}" if posted else self.path
            nth = sum(asked == path for asked, _ in server.asked)
            server.asked.append((path, dict(self.headers)))
            page = Page(robots.encode()) if path == "/robots.txt" else answer(path, nth)
            self.send_response(page.status)
            self.send_header("Content-Length", str(len(page.body) if page.promised is None else page.promised))
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)
            self.close_connection = page.promised is not None

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = SiteServer(f"http://127.0.0.1:{http.server_address[1]}", [])
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
