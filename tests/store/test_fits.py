"""A fit is written whole, the same fit again changes no row, and a published one is never altered."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from invented import (
    BERT,
    LATER,
    MONDAY,
    TUESDAY,
    WINDOW,
    make_model,
    make_petitions,
    make_shares,
    make_topics,
    write_fit,
)
from petitions.errors import ConfigError, PermanentError
from petitions.records import Source
from petitions.store.petitions import upsert_petitions
from petitions.store.publishing import publish
from petitions.store.runs import begin_run
from petitions.store.topic_reads import read_published, read_shares, read_topic_model, read_topics
from petitions.store.topics import CurvePoint, TopicEvent, write_topic_model
from petitions.store.upsert import Counts

pytestmark = pytest.mark.postgres

PETITIONS = make_petitions(12)
IDS = [item.petition_id for item in PETITIONS]
FIT_TABLES = ("topic_model", "topic", "topic_term", "topic_event", "petition_topic")


@pytest.fixture(autouse=True)
def stored(conn):
    upsert_petitions(conn, PETITIONS, seen_at=MONDAY)


def read_versions(conn) -> list:
    tables = [conn.execute(text(f"SELECT ctid::text, * FROM petitions.{name} ORDER BY 2, 3, 4")) for name in FIT_TABLES]
    return [table.all() for table in tables]


def test_a_fit_comes_back_as_it_was_written(conn):
    assert write_fit(conn, PETITIONS) == Counts(inserted=1 + 3 + 9 + 36)
    assert read_topic_model(conn, "fit-1") == make_model()
    topics = read_topics(conn, "fit-1")
    assert [item.label for item in topics] == ["건널목", "급식", "주택"]
    assert topics[0].terms == make_topics()[0].terms
    np.testing.assert_allclose(read_shares(conn, "fit-1", [*IDS[::-1], "sample:none"])[:-1], make_shares(12)[::-1])
    assert not read_shares(conn, "fit-1", ["sample:none"]).any()


def test_what_compares_a_fit_with_the_one_before_comes_back_too(conn):
    write_fit(conn, PETITIONS)
    curve = (CurvePoint(n_topics=2, npmi=0.05, stability=0.75), CurvePoint(n_topics=3, npmi=0.1, stability=0.5))
    model = make_model("fit-2", stability=0.5, changed_share=0.25, note="3 topics, since 9 were too many", curve=curve)
    topics = [replace(item, mixture_share=0.5) for item in make_topics()]
    event = TopicEvent(kind="continued", topic_id=1, from_model_id="fit-1", from_topic_id=1, distance=0.1, overlap=0.75)
    written = write_topic_model(conn, model, topics, [event], IDS, make_shares(12))
    assert read_topic_model(conn, "fit-2") == model
    assert [item.mixture_share for item in read_topics(conn, "fit-2")] == [0.5] * 3
    assert conn.scalar(text("SELECT overlap FROM topic_event")) == 0.75
    before = read_versions(conn)
    again = write_topic_model(conn, model, topics, [event], IDS, make_shares(12))
    assert (again, read_versions(conn)) == (Counts(unchanged=written.inserted), before)


def test_a_share_over_one_is_refused_by_the_name_of_its_column(conn):
    write_fit(conn, PETITIONS)
    topic, others = make_topics()[0], make_topics()[1:]
    for column, model, first, event in (
        ("topic_model_changed_share", make_model("fit-2", changed_share=1.1), topic, "born"),
        ("topic_mixture_share", make_model("fit-2"), replace(topic, mixture_share=1.1), "born"),
        ("topic_event_overlap", make_model("fit-2"), topic, "continued"),
    ):
        events = [TopicEvent(kind=event, topic_id=1, overlap=None if event == "born" else 1.1)]
        with pytest.raises(PermanentError, match=f"{column}_check"), conn.begin_nested():
            write_topic_model(conn, model, [first, *others], events, IDS, make_shares(12))


def test_the_same_fit_again_changes_no_row_though_it_was_fitted_later(conn):
    write_fit(conn, PETITIONS)
    before = read_versions(conn)
    again = make_model(fitted_at=TUESDAY)
    assert write_topic_model(conn, again, make_topics(), [], IDS, make_shares(12)) == Counts(unchanged=49)
    assert read_versions(conn) == before


def test_a_petition_that_holds_few_terms_of_its_topic_is_mixed_whatever_its_share(conn):
    write_fit(conn, PETITIONS)
    published = make_model(model_id="bluehouse-borne")
    borne = [number > 0 for number in range(12)]
    write_topic_model(conn, published, make_topics(), [], IDS, make_shares(12), borne)
    change = "UPDATE petitions.topic_model SET published_at = now(), encoders = ARRAY['bert'] WHERE model_id = :name"
    conn.execute(text(change), {"name": published.model_id})
    rows = conn.execute(text("SELECT petition_id, share, is_mixed FROM petitions.main_topic")).all()
    assert {row.petition_id: row.is_mixed for row in rows} == {name: name == IDS[0] for name in IDS}
    assert min(row.share for row in rows) >= 0.5


def test_a_smaller_fit_under_the_same_id_leaves_nothing_of_the_larger(conn):
    write_fit(conn, PETITIONS)
    born = [TopicEvent(kind="born", topic_id=3)]
    write_topic_model(conn, make_model(), make_topics(), born, IDS, make_shares(12))
    write_topic_model(conn, make_model(n_topics=2), make_topics()[:2], [], IDS[:4], np.full((4, 2), 0.5))
    counts = [len(rows) for rows in read_versions(conn)]
    assert counts == [1, 2, 6, 0, 8]


def test_shares_that_exceed_one_by_rounding_are_stored_and_others_are_refused(conn):
    shares = np.zeros((12, 3), dtype=np.float32)
    shares[:, 0] = np.nextafter(np.float32(1), np.float32(2))
    begin_run(conn, Source("sample"), WINDOW)
    write_topic_model(conn, make_model(), make_topics(), [], IDS, shares)
    assert conn.scalar(text("SELECT max(share) FROM petition_topic")) == 1
    with pytest.raises(PermanentError, match="petition_topic_share_check"), conn.begin_nested():
        write_topic_model(conn, make_model(), make_topics(), [], IDS, shares * 2)


def test_the_main_topic_has_the_largest_share_and_of_equal_ones_the_lowest_id(conn):
    shares = np.full((12, 3), 0.2)
    shares[:, 2] = 0.6
    shares[0] = (0.4, 0.4, 0.2)
    read_main = text("SELECT petition_id, topic_id FROM petition_topic WHERE is_main ORDER BY petition_id")
    begin_run(conn, Source("sample"), WINDOW)
    write_topic_model(conn, make_model(), make_topics(), [], IDS, shares)
    ids = [topic.topic_id for topic in make_topics()]
    assert dict(conn.execute(read_main).all()) == dict.fromkeys(IDS, ids[2]) | {IDS[0]: min(ids[:2])}
    write_topic_model(conn, make_model(), make_topics(), [], IDS, shares[:, ::-1])  # the same fit, written anew
    assert dict(conn.execute(read_main).all()) == dict.fromkeys(IDS, ids[0]) | {IDS[0]: min(ids[1:])}


def test_shares_of_another_shape_are_refused(conn):
    with pytest.raises(PermanentError, match="12 petitions and 3 topics"):
        write_topic_model(conn, make_model(), make_topics(), [], IDS, make_shares(11))


def test_events_name_the_fit_before(conn):
    write_fit(conn, PETITIONS)
    events = [
        TopicEvent(kind="continued", topic_id=1, from_model_id="fit-1", from_topic_id=1, distance=0.1),
        TopicEvent(kind="died", topic_id=None, from_model_id="fit-1", from_topic_id=2, distance=0.9),
    ]
    for _ in range(2):
        write_topic_model(conn, make_model("fit-2"), make_topics(), events, IDS, make_shares(12))
    rows = conn.execute(text("SELECT kind, topic_id, from_topic_id FROM topic_event ORDER BY kind")).all()
    assert rows == [("continued", 1, 1), ("died", None, 2)]


def test_a_published_fit_is_not_altered(conn):
    write_fit(conn, PETITIONS)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    before = read_versions(conn)
    write_topic_model(conn, make_model(npmi=0.9), make_topics("!"), [], IDS, make_shares(12))
    assert read_versions(conn) == before


def test_publishing_and_going_back(conn):
    assert read_published(conn, Source("sample")) is None
    for name in ("fit-1", "fit-2"):
        write_fit(conn, PETITIONS, name)
    assert publish(conn, "fit-1", [BERT], at=MONDAY)
    assert publish(conn, "fit-2", [BERT], at=TUESDAY)
    assert read_published(conn, Source("sample")).model_id == "fit-2"
    assert publish(conn, "fit-1", [BERT], at=LATER), "the clock was set back, and still the last call counts"
    published = read_published(conn, Source("sample"))
    assert (published.model_id, published.encoders) == ("fit-1", (BERT,))
    assert published.published_at > TUESDAY


def test_publishing_the_published_fit_again_changes_no_row(conn):
    write_fit(conn, PETITIONS)
    publish(conn, "fit-1", [BERT], at=MONDAY)
    before = read_versions(conn)
    assert not publish(conn, "fit-1", [BERT], at=TUESDAY)
    assert read_versions(conn) == before
    assert publish(conn, "fit-1", ["another"], at=TUESDAY)


def test_what_is_not_there_cannot_be_published(conn):
    with pytest.raises(ConfigError, match="no fit fit-9"):
        publish(conn, "fit-9", [BERT], at=MONDAY)
    write_fit(conn, PETITIONS)
    with pytest.raises(ConfigError, match="at least one encoder"):
        publish(conn, "fit-1", [], at=MONDAY)
