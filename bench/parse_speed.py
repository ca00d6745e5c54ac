"""How fast both parsers and the mask of raw answers are, and how slow a hostile answer of 5 MB can make them.

    PYTHONPATH=include:tests:tests/fuzz .venv/bin/python bench/parse_speed.py

Answers a second for the two real pages and invented ones (needs ../shared for the real ones), then the slowest hostile
answers of each reader with what it said.
"""

import json
import time
from collections.abc import Callable
from datetime import date

from hostile_answers import make_hostile_answers

from invented_pages import assembly_row, bluehouse_list, bluehouse_page
from petitions.errors import ParseError
from petitions.privacy import mask_bytes
from petitions.records import Window
from petitions.sources.assembly import AssemblySite
from petitions.sources.bluehouse import BlueHouseSite
from stand_in import SHARED

URL, ID, NUMBER, REAL = "https://site.test", assembly_row()["petitId"], "581762", "594884"
WINDOW = Window(since=date(2019, 8, 1), until=date(2019, 9, 1))
ASSEMBLY = AssemblySite(base_url=URL, window=WINDOW, today=WINDOW.until)
BLUEHOUSE = BlueHouseSite(base_url=URL, window=WINDOW)
READERS: dict[str, Callable[[bytes], object]] = {
    "assembly list": lambda answer: ASSEMBLY.parse_list(answer, URL),
    "assembly detail": lambda answer: ASSEMBLY.parse_detail(answer, URL, ID),
    "blue house list": lambda answer: BLUEHOUSE.parse_list(answer, URL),
    "blue house detail": lambda answer: BLUEHOUSE.parse_detail(answer, URL, NUMBER),
    "mask": mask_bytes,
}
N_SLOWEST = 12


def main() -> None:
    row = json.dumps(assembly_row(), ensure_ascii=False).encode()
    measure("assembly list of 100", READERS["assembly list"], b"[" + b",".join([row] * 100) + b"]")
    measure("assembly detail", READERS["assembly detail"], row)
    measure("blue house list", READERS["blue house list"], bluehouse_list(*map(str, range(7))))
    measure("blue house page", READERS["blue house detail"], bluehouse_page())
    saved = SHARED / "data" / "html" / f"detail_{REAL}_in_progress_2020-12.html"
    if saved.exists():
        page = saved.read_bytes()
        measure("blue house page, a real one", lambda answer: BLUEHOUSE.parse_detail(answer, URL, REAL), page)
        measure("mask of it", mask_bytes, page)
    times: dict[str, list[tuple[float, str, str]]] = {name: [] for name in READERS}
    for name, answer in make_hostile_answers():
        for reader, read in READERS.items():
            began = time.perf_counter()
            said = try_to_read(read, answer)
            times[reader].append((time.perf_counter() - began, name, said))
    for reader, cases in times.items():
        for seconds, name, said in sorted(cases, reverse=True)[:N_SLOWEST]:
            print(f"{reader:18} {seconds:6.3f} s  {name[:50]:50} {said[:90]}")


def measure(name: str, read: Callable[[bytes], object], answer: bytes) -> None:
    """Print how many answers a second are read: the best of five tenths of a second."""
    best = 0.0
    for _ in range(5):
        n_read, began = 0, time.perf_counter()
        while (seconds := time.perf_counter() - began) < 0.1:
            read(answer)
            n_read += 1
        best = max(best, n_read / seconds)
    print(f"{name:28} {best:8.0f} a second")


def try_to_read(read: Callable[[bytes], object], answer: bytes) -> str:
    """Read a hostile answer; gives the message of its refusal, or what kind of record it gave."""
    try:
        return type(read(answer)).__name__
    except ParseError as error:
        return str(error).removeprefix(f"{URL}: ")


if __name__ == "__main__":
    main()
