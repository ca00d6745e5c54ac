"""A site of which three answers in ten fail, in every way at once: the rows of a site without faults."""

from datetime import date

import pytest

from crawl_runs import ALL_FAULTS, begin_night, count_rejects, crawl, read_petitions
from petitions.crawl.archive import Archive
from petitions.records import Source, Window
from petitions.settings import Settings
from petitions.store.artifacts import ArtifactStore
from stand_in import ASSEMBLY_DATA, BLUEHOUSE_DATA, run_stand_in

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


WEEK = Window(since=date(2019, 8, 25), until=date(2019, 9, 1))
MONTH = Window(since=date(2024, 6, 1), until=date(2024, 7, 1))


@pytest.mark.parametrize(
    ("source", "data", "window"),
    [
        (Source("bluehouse"), BLUEHOUSE_DATA / "2019-08.jsonl", WEEK),
        (Source("assembly"), ASSEMBLY_DATA / "2020-01_2024-07.jsonl", MONTH),
    ],
)
def test_three_faults_in_ten_answers_change_no_row(source, data, window, new_database, tmp_path):
    rows, rejects = [], []
    with run_stand_in(str(source), data, today=window.until.isoformat()) as site:
        settings = Settings(site_urls={str(source): site.url}, requests_per_second=10_000, connections=32)
        for rate in (0.0, 0.3):
            site.control("faults", rate=rate, kinds=ALL_FAULTS)
            engine, archive = new_database(), Archive(ArtifactStore(str(tmp_path / str(rate))))
            crawl(engine, archive, source, window, settings, now=begin_night(window.until))
            rows.append(read_petitions(engine))
            rejects.append(count_rejects(engine))
        statuses = site.control("stats")["statuses"]
    assert {"429", "500", "503", "403"} <= statuses.keys()
    assert rows[1] == rows[0]
    assert rejects == [0, 0]
    assert len(rows[0]) > 40
    assert not any(row["status"] == "hidden" or row["is_vanished"] for row in rows[0].values())
