"""Invented petitions and moments for the tests of the store."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from petitions.records import Petition, Source, Status, Window
from petitions.store.check_results import plan_results, write_check
from petitions.store.checks import plan_checks, run_check
from petitions.store.petitions import read_texts, upsert_petitions
from petitions.store.runs import begin_run
from petitions.store.scores import Keywords, Score, upsert_keywords, upsert_scores
from petitions.store.topics import Topic, TopicModel, TopicTerm, write_topic_model
from petitions.store.upsert import Counts
from petitions.store.vectors import upsert_embeddings

WINDOW = Window(since=date(2024, 4, 1), until=date(2024, 7, 1))
MONDAY = datetime(2024, 7, 1, 3, 0, tzinfo=UTC)
LATER = MONDAY + timedelta(hours=5)  # the same day
TUESDAY = MONDAY + timedelta(days=1)

PETITION = Petition(
    source=Source("sample"),
    source_id="a-001",
    title="학교 앞 건널목에 신호등을 놓아 주세요",
    purpose="아이들의 안전",
    body="아침마다 아이들이 차를 피해 길을 건넙니다.",
    category="교통/건축/국토",
    status=Status.OPEN,
    n_agreements=12,
    begins_on=date(2024, 5, 1),
    ends_on=date(2024, 5, 31),
    url="https://example.org/a-001",
)


def make_petitions(n: int) -> list[Petition]:
    """N petitions with ids a-001, a-002, ... that begin on successive days of the window."""
    return [
        replace(
            PETITION,
            source_id=f"a-{number:03d}",
            title=f"{number}번째 건널목에 신호등을 놓아 주세요",
            begins_on=WINDOW.since + timedelta(days=number % 90),
            ends_on=WINDOW.since + timedelta(days=number % 90 + 30),
        )
        for number in range(1, n + 1)
    ]


BERT, ELMO = "bert-tiny@0123456789ab", "elmo-tiny@ba9876543210"
RUN = "sample_2024-04-01_2024-07-01"


def make_model(model_id: str = "fit-1", **changes) -> TopicModel:
    model = TopicModel(
        model_id=model_id,
        run_id=RUN,
        source=Source("sample"),
        window=WINDOW,
        engine="gensim-4.4.0",
        tokenizer="mecab-1",
        seed=0,
        n_topics=3,
        n_petitions=12,
        n_terms=40,
        npmi=0.1,
        c_v=0.5,
        diversity=0.9,
        artifact="topics/fit-1",
        fitted_at=MONDAY,
    )
    return replace(model, **changes)


def make_topics(mark: str = "") -> list[Topic]:
    """Three topics; `mark` stands in every label, so that a reader sees which fit a label is of."""
    traits = (("건널목", 0.5), ("급식", 0.25), ("주택", 0.25))
    return [
        Topic(
            topic_id=number,
            label=f"{label}{mark}",
            mixture_share=mixture_share,
            npmi=0.1,
            terms=[TopicTerm(term=f"{label}{rank}", probability=0.2 / rank, relevance=-rank) for rank in (1, 2, 3)],
        )
        for number, (label, mixture_share) in enumerate(traits, start=1)
    ]


def make_shares(n: int) -> np.ndarray:
    """[n, 3]: the main topic of the i-th petition (from 0) is i mod 3 + 1, with a share of 0.8."""
    shares = np.full((n, 3), 0.1, dtype=np.float32)
    shares[np.arange(n), np.arange(n) % 3] = 0.8
    return shares


def make_vectors(n: int, width: int = 4) -> np.ndarray:
    """float32 [n, width], unit length, no two alike, successive ones close to each other."""
    angles = np.linspace(0, 1.5, n)
    vectors = np.zeros((n, width), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    return vectors


def write_fit(conn: Connection, petitions: list[Petition], model_id: str = "fit-1", mark: str = "") -> Counts:
    """Write a run and a fit over petitions that are stored."""
    begin_run(conn, Source("sample"), WINDOW)
    ids = [item.petition_id for item in petitions]
    return write_topic_model(conn, make_model(model_id), make_topics(mark), [], ids, make_shares(len(ids)))


def write_all(conn: Connection, petitions: list[Petition], model_id: str = "fit-1", mark: str = "") -> None:
    """Write petitions, a fit, vectors, scores and keywords: all that a run leaves before it is published."""
    upsert_petitions(conn, petitions, seen_at=MONDAY)
    write_fit(conn, petitions, model_id, mark)
    texts = read_texts(conn, Source("sample"), WINDOW)
    upsert_embeddings(conn, BERT, texts, make_vectors(len(texts)))
    hashes = {item.petition_id: item.content_hash for item in texts}
    similarity = {"score": "topic_similarity", "model_id": model_id}
    upsert_scores(
        conn,
        [
            Score(petition_id=petition_id, encoder=encoder, value=value, content_hash=hashes[petition_id], **score)
            for petition_id in hashes
            for encoder, value, score in (
                (BERT, 0.75, {"score": "next_sentence"}),
                (BERT, 0.5, similarity),
                (ELMO, 0.25, similarity),
            )
        ],
    )
    words = [("신호등", 0.5), ("학교", 0.25)]
    upsert_keywords(
        conn,
        [
            Keywords(petition_id=petition_id, encoder=BERT, content_hash=content_hash, extractor="v1", words=words)
            for petition_id, content_hash in hashes.items()
        ],
    )


def write_checks(conn: Connection, model_id: str, encoders: Sequence[str], failed: str = "") -> None:
    """Check a fit with what is named as its encoders: all of it passes, or all but one check."""
    planned = plan_checks(conn, Source("sample"), WINDOW, model_id, dict.fromkeys(encoders, {}))
    plan_results(conn, model_id, planned, at=MONDAY)
    for item in planned:
        found = run_check(conn, item)
        write_check(conn, model_id, replace(found, value=1, passed=item.name != failed), at=MONDAY)
