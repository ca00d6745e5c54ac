"""How fast the crawl is with politeness off, and the parser alone, over the stand-in for the Blue House.

    PYTHONPATH=include:tests .venv/bin/python bench/crawl_speed.py [--times 1] [--connections 4]

Needs ../shared. Prints pages a second and the peak memory of this process.
"""

import argparse
import io
import itertools
import logging
import resource
import tempfile
import time
from datetime import date

from warcio.archiveiterator import ArchiveIterator

from petitions.crawl.archive import Archive
from petitions.crawl.crawler import crawl
from petitions.records import Petition, Source, Window
from petitions.settings import Settings
from petitions.sources.bluehouse import BlueHouseSite
from petitions.store.artifacts import ArtifactStore
from stand_in import BLUEHOUSE_DATA, run_stand_in

UNTIL = date(2019, 9, 1)
N_PARSED = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--connections", type=int, default=4)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    data = sorted(BLUEHOUSE_DATA.glob("*.jsonl"))
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(ArtifactStore(folder))
        with run_stand_in("bluehouse", *data, today=UNTIL.isoformat(), times=args.times) as site:
            measure_crawl(site.url, args.connections, archive)
            print(site.control("stats"))
        measure_parser(ArtifactStore(folder))


def measure_crawl(url: str, connections: int, archive: Archive) -> None:
    settings = Settings(bluehouse_url=url, requests_per_second=10_000, connections=connections)
    window, began = Window.ending(UNTIL), time.perf_counter()
    batches = crawl(Source.BLUEHOUSE, window, known={}, settings=settings, archive=archive, today=UNTIL)
    n_petitions = sum(isinstance(item, Petition) for batch in batches for item in batch)
    seconds = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"crawl: {n_petitions} petitions in {seconds:.1f} s, {n_petitions / seconds:.0f} a second")
    print(f"peak memory: {peak_mb:.0f} MB")


def measure_parser(store: ArtifactStore) -> None:
    """Read the archived pages of one file again and again, as the crawl's parser does."""
    site = BlueHouseSite(base_url="http://127.0.0.1", window=Window.ending(UNTIL))
    # A batch's records are read one after the other: the bytes of one are gone once the next is read.
    records = ArchiveIterator(io.BytesIO(store.read(store.list("raw")[-1])))
    pages = [
        (record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read())
        for record in records
        if record.rec_type == "response"
    ]
    began = time.perf_counter()
    for url, page in itertools.islice(itertools.cycle(pages), N_PARSED):
        site.parse_detail(page, url, url.rpartition("/")[2])
    print(f"parser: {N_PARSED / (time.perf_counter() - began):.0f} pages a second on one core")


if __name__ == "__main__":
    main()
