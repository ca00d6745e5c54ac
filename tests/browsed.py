"""Pages of the topic browser, as who asks for them gets them."""

import csv
import io

from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

HOSTILE = '=HYPERLINK("x") 신호등 <script>alert(1)</script>'


def read(ask: TestClient, path: str, status: int = 200) -> BeautifulSoup:
    answer = ask.get(path)
    assert answer.status_code == status, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def download(ask: TestClient, path: str) -> list[dict[str, str]]:
    answer = ask.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.content.startswith(b"\xef\xbb\xbf"), "Excel takes it for another encoding"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
