from datetime import timedelta

import pytest
from sqlalchemy import text

from invented import BERT, MONDAY, WINDOW, make_model, make_petitions, make_shares, make_topics
from petitions.records import Source
from petitions.store.petitions import upsert_petitions
from petitions.store.publishing import publish
from petitions.store.runs import begin_run
from petitions.store.topics import TopicEvent, write_topic_model

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PETITIONS = make_petitions(6)


def test_the_lineage_of_a_topic_goes_back_over_splits_and_mergers_to_every_birth(conn):
    def come(kind: str, topic_id: int | None, origin: str, from_topic_id: int) -> TopicEvent:
        return TopicEvent(kind=kind, topic_id=topic_id, from_model_id=origin, from_topic_id=from_topic_id, distance=0.5)

    upsert_petitions(conn, PETITIONS, seen_at=MONDAY)
    begin_run(conn, Source("sample"), WINDOW)
    ids, shares = [item.petition_id for item in PETITIONS], make_shares(len(PETITIONS))
    fits = {
        "fit-1": [TopicEvent(kind="born", topic_id=number) for number in (1, 2)],
        "fit-2": [come("split", 1, "fit-1", 1), come("split", 3, "fit-1", 1), come("continued", 2, "fit-1", 2)],
        "fit-3": [come("merged", 1, "fit-2", 1), come("merged", 1, "fit-2", 3), come("died", None, "fit-2", 2)],
        "fit-4": [come("continued", 1, "fit-3", 1)],
    }
    for number, (model_id, events) in enumerate(fits.items()):
        write_topic_model(conn, make_model(model_id), make_topics(f" {number}"), events, ids, shares)
        if model_id != "fit-4":  # readers do not see it
            publish(conn, model_id, [BERT], at=MONDAY + timedelta(days=number))
    query = """
        SELECT step, kind, model_id, topic_id, from_topic_id, from_label, distance FROM petitions.topic_lineage
        WHERE current_topic_id = 1 ORDER BY step, topic_id, from_topic_id
    """
    assert conn.execute(text(query)).all() == [
        (0, "merged", "fit-3", 1, 1, "건널목 1", 0.5),
        (0, "merged", "fit-3", 1, 3, "주택 1", 0.5),
        (1, "split", "fit-2", 1, 1, "건널목 0", 0.5),
        (1, "split", "fit-2", 3, 1, "건널목 0", 0.5),
        (2, "born", "fit-1", 1, None, None, None),
    ]
    assert conn.execute(text("SELECT FROM petitions.topic_lineage WHERE current_topic_id <> 1")).all() == []
