"""The step find_copies: what is new is fingerprinted, and a killed or repeated step leaves the same pairs."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from invented import MONDAY, WINDOW, make_petitions
from petitions.records import Source
from petitions.settings import Settings
from petitions.steps import find_copies as module
from petitions.steps.find_copies import find_copies
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.petitions import upsert_petitions

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
SAMPLE = Source("sample")
SAID = "아침마다 아이들이 차를 피해 길을 건너고 있으니 신호등을 놓고 속도를 줄이게 하는 표지도 세워 주시기 바랍니다"


def read_pairs(engine) -> list[tuple]:
    with engine.connect() as conn:
        query = "SELECT earlier_id, later_id, group_id, earlier_in_later FROM petitions.petition_copy ORDER BY 1, 2"
        return [tuple(row) for row in conn.execute(text(query))]


def test_pairs_are_the_same_after_a_kill_and_on_a_night_without_news(engine, tmp_path, monkeypatch):
    bodies = {1: SAID, 2: f"{SAID} 서명한 이웃이 많습니다"}
    bodies[3] = "급식 조리실의 환기 시설을 고쳐 주시기를 간절히 바라며 이 글을 올립니다"
    petitions = [replace(item, purpose="", body=bodies[n]) for n, item in enumerate(make_petitions(3), start=1)]
    with engine.begin() as conn:
        upsert_petitions(conn, petitions, seen_at=MONDAY)
    run = Run(settings=Settings(), engine=engine, artifacts=ArtifactStore(str(tmp_path)), source=SAMPLE, window=WINDOW)
    with monkeypatch.context() as patched:
        patched.setattr(module, "find_pairs", lambda found, read: 1 / 0)
        with pytest.raises(ZeroDivisionError):  # after the fingerprints, before the pairs
            find_copies(run)
    assert read_pairs(engine) == []
    assert find_copies(run) == 1
    pairs = read_pairs(engine)
    assert pairs == [("sample:a-001", "sample:a-002", "sample:a-001", 1.0)]
    made = []
    monkeypatch.setattr(module, "make_fingerprint", made.append)
    assert find_copies(run) == 1
    assert read_pairs(engine) == pairs and made == []
