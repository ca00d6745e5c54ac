"""Crawl a stand-in of the Blue House, and parse its pages alone: ours, the loop of public scrapers, and Scrapy.

All ask for both lists and every petition on it, politeness off. Ours masks and archives each answer and stores the rows
in Postgres; the peers write title, body and facts to a file of lines, which is all that scrapers of this site keep.
"""

import atexit
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.stage import Arguments, Contestant, Stage, data_files

TODAY = "2019-09-01"
CONNECTIONS = 8  # of Scrapy; ours has the two that a crawl has
HEADERS = {"X-Requested-With": "XMLHttpRequest", "User-Agent": "Mozilla/5.0"}


@contextmanager
def serve(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """A stand-in over the first petitions of the months."""
    from stand_in import read_rows, run_stand_in

    rows = read_rows(*data_files())[: size["n"]]
    data = folder / "petitions.jsonl"
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    with run_stand_in("bluehouse", data, today=TODAY) as site:
        yield {**size, "url": site.url, "n": len(rows), "folder": str(folder)}


@contextmanager
def save_pages(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """The pages of the first petitions, as the stand-in gives them, and their ids."""
    with serve(size, folder) as arguments:
        rows = [json.loads(line) for line in (folder / "petitions.jsonl").read_text("utf-8").splitlines()]
        pages = []
        for row in rows:
            with urllib.request.urlopen(f"{arguments['url']}/petitions/{row['id']}") as answer:
                pages.append([row["id"], answer.read().decode("utf-8")])
    (folder / "pages.json").write_text(json.dumps(pages), encoding="utf-8")
    yield {**arguments, "pages": str(folder / "pages.json")}


def make_ours(arguments: Arguments) -> Callable[[int], dict[str, Any]]:
    import time
    from contextlib import ExitStack
    from datetime import UTC, date, datetime

    from crawl_ground import open_ground

    from petitions.records import Source, Window
    from petitions.settings import Settings
    from petitions.steps.crawl import gather

    kept = ExitStack()
    atexit.register(kept.close)  # the server ends with the worker
    make_ground = kept.enter_context(open_ground())
    settings = Settings(site_urls={"bluehouse": arguments["url"]}, requests_per_second=10_000)
    window = Window(since=date(2019, 6, 1), until=date.fromisoformat(TODAY))

    def crawl(_: int) -> dict[str, Any]:
        engine, archive = make_ground()
        began, cpu = time.perf_counter(), time.process_time()
        batches = gather(engine, archive, Source("bluehouse"), window, settings, now=lambda: datetime.now(UTC))
        n_read = sum(n for n, _ in batches)
        return {
            "petitions": n_read, "seconds": time.perf_counter() - began, "cpu_s": time.process_time() - cpu
        }  # fmt: skip

    return crawl


def parse_soup(page: str) -> dict[str, str]:
    """What scrapers of this site read, by Beautiful Soup over html.parser."""
    from bs4 import BeautifulSoup

    left = BeautifulSoup(page, "html.parser").select_one(".petitionsView_left")
    facts = [item.get_text(" ", strip=True) for item in left.select(".petitionsView_info_list li")]
    return {
        "title": left.select_one(".petitionsView_title").get_text(strip=True),
        "progress": left.select_one(".petitionsView_progress").get_text(strip=True),
        "count": left.select_one(".petitionsView_count .counter").get_text(strip=True),
        "facts": "\n".join(facts),
        "body": left.select(".View_write")[-1].get_text("\n", strip=True),
    }


def make_loop(arguments: Arguments) -> Callable[[int], dict[str, Any]]:
    import requests

    def crawl(number: int) -> dict[str, Any]:
        n_read = 0
        with Path(arguments["folder"], f"loop-{number}.jsonl").open("w", encoding="utf-8") as file:
            for only in ("1", "2"):
                page = 1
                while True:
                    form = {"c": "0", "only": only, "page": str(page), "order": "1"}
                    url = f"{arguments['url']}/api/petitions/list"
                    items = requests.post(url, data=form, headers=HEADERS).json()["item"]
                    if not items:
                        break
                    for item in items:
                        answer = requests.get(f"{arguments['url']}/petitions/{item['id']}", headers=HEADERS)
                        found = {"id": item["id"], **parse_soup(answer.text)}
                        file.write(json.dumps(found, ensure_ascii=False) + "\n")
                        n_read += 1
                    page += 1
        return {"petitions": n_read}

    return crawl


def make_scrapy(arguments: Arguments) -> Callable[[int], dict[str, Any]]:
    """A process of its own for each turn: Scrapy's reactor starts once. Its imports and start are not timed."""

    def crawl(number: int) -> dict[str, Any]:
        output = Path(arguments["folder"], f"scrapy-{number}.jsonl")
        command = [sys.executable, Path(__file__).with_name("spider.py"), arguments["url"], output, str(CONNECTIONS)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return {**json.loads(done.stdout), "petitions": len(output.read_text("utf-8").splitlines())}

    return crawl


def _read_pages(arguments: Arguments) -> list[tuple[str, str]]:
    return [(number, page) for number, page in json.loads(Path(arguments["pages"]).read_text("utf-8"))]


def make_parse_ours(arguments: Arguments) -> Callable[[int], None]:
    from datetime import date

    from petitions.records import Window
    from petitions.sources.bluehouse import BlueHouseSite

    window = Window(since=date(2019, 6, 1), until=date.fromisoformat(TODAY))
    site = BlueHouseSite(base_url=arguments["url"], window=window)
    pages = [(number, page.encode()) for number, page in _read_pages(arguments)]

    def parse(_: int) -> None:
        for number, page in pages:
            site.parse_detail(page, f"{arguments['url']}/petitions/{number}", number)

    return parse


def make_parse_peer(arguments: Arguments) -> Callable[[int], None]:
    """`parser` names the function and the module that has it."""
    from importlib import import_module

    pages = [page for _, page in _read_pages(arguments)]
    module, function = arguments["parser"]
    read = getattr(import_module(module), function)

    def parse(_: int) -> None:
        for page in pages:
            read(page)

    return parse


MAKERS = {
    "ours": make_ours, "loop": make_loop, "scrapy": make_scrapy,
    "parse": make_parse_ours, "parse_peer": make_parse_peer,
}  # fmt: skip
STAGES = {
    "crawl": Stage(
        title="Crawl",
        module="crawl",
        unit="petitions",
        contestants=(
            Contestant(name="ours: masked, archived, in Postgres", maker="ours"),
            Contestant(name="requests and html.parser, one at a time, to a file", maker="loop", environment="words"),
            Contestant(name="Scrapy, to a file", maker="scrapy", environment="words"),
        ),
        sizes={"full": {"n": 1821, "rounds": 5}, "quick": {"n": 200, "rounds": 2}},
        prepare=serve,
        note="Lists and pages of a stand-in on this machine, which takes a core itself; no pause between requests: "
        "ours over its two connections (by 8 threads 1.3 times as long), Scrapy over 8, the loop over one at a time. "
        "Postgres' own CPU and memory are not in ours.",
    ),
    "parse": Stage(
        title="Parse pages",
        module="crawl",
        unit="pages",
        contestants=(
            Contestant(name="ours: checked, hostile pages refused", maker="parse"),
            Contestant(
                name="Beautiful Soup, html.parser",
                maker="parse_peer",
                environment="words",
                arguments={"parser": ("stages.crawl", "parse_soup")},
            ),
            Contestant(
                name="parsel (Scrapy's selectors)",
                maker="parse_peer",
                environment="words",
                arguments={"parser": ("stages.spider", "parse_parsel")},
            ),
        ),
        sizes={"full": {"n": 600, "rounds": 5}, "quick": {"n": 100, "rounds": 3}},
        prepare=save_pages,
        note="Title, body, status, category, period and agreements of each page.",
    ),
}
