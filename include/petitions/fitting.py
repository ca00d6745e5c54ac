"""The step fit_topics, from the tokens in the store to a fit in the store: the glue between topics and tables.

A fit is named after all that decides it: window, tokens, engine, seed and settings. The same inputs give the same
name, and a fit that is stored already is not made again.
"""

import hashlib
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from petitions.records import Source, Window
from petitions.store import runs, topic_reads, topics
from petitions.store.artifacts import ArtifactStore
from petitions.store.tokens import read_tokens
from petitions.text.tokenizer import TOKENIZER
from petitions.topics.alignment import Alignment, align_topics, assign_topic_ids, find_died_ids
from petitions.topics.labels import label_topics
from petitions.topics.lda import RULES, LdaSettings, TopicFit, fit_topics

logger = logging.getLogger(__name__)

# Jensen-Shannon distance from which on two topics are not the same: unrelated topics of one fit stand above 0.8.
MAX_DISTANCE = 0.7
MODEL_FILE, TOPICS_FILE = "lda.zip", "topics.npz"


def fit_window(
    engine: Engine, artifacts: ArtifactStore, source: Source, window: Window, n_topics: int, at: datetime
) -> topics.TopicModel:
    """Fit the topics of a window and store them, under the lasting ids of the published fit of the source.

    Args:
        engine: the results database; what is written is one transaction.
        artifacts: gets the model in gensim's format, and the topic-word matrix with its ids, before the rows are there.
        source: whose petitions.
        window: which of them.
        n_topics: K.
        at: the moment.

    Raises:
        EmptyWindowError: too few petitions for so many topics.
    """
    settings = LdaSettings(n_topics=n_topics)
    with engine.connect() as conn:
        documents = read_tokens(conn, source, window, TOKENIZER)
        model_id = _name_fit(source, window, settings, documents)
        if stored := topic_reads.find_topic_model(conn, model_id):
            logger.info("fit %s is stored already", model_id)
            return stored
        published = topic_reads.read_published(conn, source)
        highest_id = topic_reads.read_highest_id(conn, source)
    fit = fit_topics([words for _, words in documents], settings)
    alignments, old_ids = _align(artifacts, fit, published)
    topic_ids = assign_topic_ids(alignments, old_ids, highest_id)
    model = topics.TopicModel(
        model_id=model_id,
        run_id=runs.name_run(source, window),
        source=source,
        window=window,
        engine=fit.engine,
        tokenizer=TOKENIZER,
        seed=fit.seed,
        n_topics=len(fit.topic_word),
        n_petitions=len(documents),
        n_terms=fit.n_terms,
        npmi=fit.npmi,
        c_v=fit.c_v,
        diversity=fit.diversity,
        artifact=f"topics/{model_id}",
        fitted_at=at,
    )
    artifacts.write(f"{model.artifact}/{MODEL_FILE}", fit.to_bytes())
    artifacts.write(f"{model.artifact}/{TOPICS_FILE}", _pack(fit.topic_word, fit.terms, topic_ids))
    with engine.begin() as conn:
        _write(conn, model, fit, topic_ids, _tell_events(alignments, topic_ids, old_ids, published), documents)
    return model


def _name_fit(
    source: Source, window: Window, settings: LdaSettings, documents: Iterable[tuple[str, Sequence[str]]]
) -> str:
    """Source, end of the window, and a hash of all that decides the fit."""
    made_by = (RULES, version("tomotopy"), version("gensim"))
    digest = hashlib.sha256(repr((window, TOKENIZER, made_by, asdict(settings))).encode())
    for petition_id, words in documents:
        digest.update("\x00".join((petition_id, *words, "\n")).encode())
    return f"{source}-{window.until}-{digest.hexdigest()[:10]}"


def _align(
    artifacts: ArtifactStore, fit: TopicFit, published: topics.TopicModel | None
) -> tuple[list[Alignment], list[int]]:
    """Pair the topics of a fit with those of the published one, whose ids come along; none before the first."""
    if published is None:
        empty = np.zeros((0, 0), np.float32)
        return align_topics(fit.topic_word, fit.terms, empty, [], MAX_DISTANCE), []
    with np.load(io.BytesIO(artifacts.read(f"{published.artifact}/{TOPICS_FILE}"))) as packed:
        old_ids: list[int] = packed["topic_ids"].tolist()
        old = packed["topic_word"], packed["terms"].tolist()
    return align_topics(fit.topic_word, fit.terms, *old, MAX_DISTANCE), old_ids


def _pack(topic_word: NDArray[np.float32], terms: Sequence[str], topic_ids: Sequence[int]) -> bytes:
    """The matrix [K, V], its terms [V] and its ids [K] in NumPy's format, which holds no code, unlike gensim's."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, topic_word=topic_word, terms=np.array(terms), topic_ids=np.array(topic_ids))
    return buffer.getvalue()


def _tell_events(
    alignments: Sequence[Alignment],
    topic_ids: Sequence[int],
    old_ids: Sequence[int],
    published: topics.TopicModel | None,
) -> list[topics.TopicEvent]:
    """Which topics were born, went on and died since the published fit."""
    before = published.model_id if published else None
    events = []
    for item, topic_id in zip(alignments, topic_ids, strict=True):
        if item.old is None:
            events.append(topics.TopicEvent(kind="born", topic_id=topic_id))
        else:
            events.append(
                topics.TopicEvent(
                    kind="continued",
                    topic_id=topic_id,
                    from_model_id=before,
                    from_topic_id=old_ids[item.old],
                    distance=item.distance,
                )
            )
    for old_id in find_died_ids(alignments, old_ids):
        events.append(topics.TopicEvent(kind="died", topic_id=None, from_model_id=before, from_topic_id=old_id))
    return events


def _write(
    conn: Connection,
    model: topics.TopicModel,
    fit: TopicFit,
    topic_ids: Sequence[int],
    events: Sequence[topics.TopicEvent],
    documents: Sequence[tuple[str, Sequence[str]]],
) -> None:
    labels = label_topics([[item.term for item in terms] for terms in fit.top_terms])
    shares = fit.document_topic.mean(axis=0)  # [K]
    rows = [
        topics.Topic(
            topic_id=topic_id,
            label=label,
            share=float(share),
            npmi=npmi,
            terms=[
                topics.TopicTerm(term=item.term, probability=item.probability, relevance=item.relevance)
                for item in terms
            ],
        )
        for topic_id, label, share, npmi, terms in zip(
            topic_ids, labels, shares, fit.npmi_by_topic, fit.top_terms, strict=True
        )
    ]
    petition_ids = [petition_id for petition_id, _ in documents]
    topics.write_topic_model(conn, model, rows, events, petition_ids, fit.document_topic)
