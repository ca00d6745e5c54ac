"""The step find_copies: what is new is fingerprinted, and a killed or repeated step leaves the same pairs."""

from dataclasses import replace

import pytest
from sqlalchemy import text, update

from invented import MONDAY, WINDOW, make_petitions
from petitions.records import Hidden, Petition, Source
from petitions.settings import Settings
from petitions.steps import find_copies as module
from petitions.steps.find_copies import find_copies
from petitions.steps.step import Run
from petitions.store.artifacts import ArtifactStore
from petitions.store.petitions import mark_hidden, upsert_petitions
from petitions.store.tables import petition

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
        patched.setattr(module, "find_pairs", lambda found, compare, known: 1 / 0)
        with pytest.raises(ZeroDivisionError):  # after the fingerprints, before the pairs
            find_copies(run)
    assert read_pairs(engine) == []
    assert find_copies(run) == 1
    pairs = read_pairs(engine)
    assert pairs == [("sample:a-001", "sample:a-002", "sample:a-001", 1.0)]
    refuse_work(monkeypatch)
    assert find_copies(run) == 1
    assert read_pairs(engine) == pairs


def hide(item: Petition) -> Hidden:
    return Hidden(source=item.source, source_id=item.source_id, url=item.url, artifact="hidden.html")


def refuse_work(monkeypatch) -> None:
    """From here on each text that is read, and each pair that is looked for, is an error."""
    for name in ("make_fingerprint", "find_pairs", "read_texts_of"):
        monkeypatch.setattr(module, name, lambda *args: 1 / 0)


def test_a_night_compares_what_is_new_or_edited_and_nothing_else(engine, tmp_path, monkeypatch):
    petitions = [replace(item, purpose="", body=f"{SAID} {item.source_id}") for item in make_petitions(4)]
    run = Run(settings=Settings(), engine=engine, artifacts=ArtifactStore(str(tmp_path)), source=SAMPLE, window=WINDOW)
    compared = []
    compare = module.compare_texts

    def note(pairs, texts):
        compared.extend(pairs)
        return compare(pairs, texts)

    monkeypatch.setattr(module, "compare_texts", note)

    def write(*items) -> set[str]:
        with engine.begin() as conn:
            upsert_petitions(conn, items, seen_at=MONDAY)
        compared.clear()
        find_copies(run)
        return {f"{one[-1]}{other[-1]}" for one, other in compared}

    assert write(*petitions[:3]) == {"12", "13", "23"}
    assert write(petitions[3]) == {"14", "24", "34"}
    assert write(replace(petitions[1], body=f"{SAID} 서명한 이웃이 많습니다")) == {"12", "23", "24"}
    assert write() == set()
    assert len(read_pairs(engine)) == 6
    with engine.begin() as conn:
        mark_hidden(conn, [hide(petitions[2])], seen_at=MONDAY)
    assert write() == set()
    assert len(read_pairs(engine)) == 3
    with engine.begin() as conn:  # the pairs go with the last fit of a run, and a run may come again
        conn.execute(text("DELETE FROM petitions.petition_copy"))
    assert write() == set()
    assert len(read_pairs(engine)) == 3


def test_a_petition_that_began_earlier_after_all_is_the_earlier_one(engine, tmp_path):
    petitions = [replace(item, purpose="", body=SAID, title=f"{item.source_id}") for item in make_petitions(2)]
    run = Run(settings=Settings(), engine=engine, artifacts=ArtifactStore(str(tmp_path)), source=SAMPLE, window=WINDOW)
    with engine.begin() as conn:
        upsert_petitions(conn, petitions, seen_at=MONDAY)
    find_copies(run)
    ids = [item.petition_id for item in petitions]
    assert [row[:2] for row in read_pairs(engine)] == [tuple(ids)]
    with engine.begin() as conn:
        conn.execute(update(petition).where(petition.c.petition_id == ids[1]).values(begins_on=WINDOW.since))
    find_copies(run)
    assert [row[:2] for row in read_pairs(engine)] == [tuple(reversed(ids))]
