"""A new fit beside the published one: under which lasting ids its topics go on, and whether it may take its place."""

import io
import logging
import math
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from petitions.errors import CheckFailedError, PermanentError
from petitions.records import Window
from petitions.steps.topic_names import Name
from petitions.store import topic_reads, topics
from petitions.store.artifacts import ArtifactStore
from petitions.text.tokenizer import TOKENIZER
from petitions.topics import alignment, gate
from petitions.topics.events import Event, tell_events
from petitions.topics.lda import Start, TopicFit
from petitions.topics.lda_settings import LdaSettings
from petitions.topics.refit import MOST_SEEDS, MOST_TURNOVER, Refit, refit_topics

logger = logging.getLogger(__name__)

# Of a fit's artifact: topic_word [K, V], terms [V], topic_ids [K], label_terms [K, TOP_TERMS], turnover.
TOPICS_FILE = "topics.npz"


class Term(Protocol):
    """A term of a topic, of a new fit or as it is stored."""

    @property
    def term(self) -> str:
        """The word."""

    @property
    def probability(self) -> float:
        """Of the word in the topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The published fit that a new one goes on from: L topics, beside the N petitions of the new window."""

    model: topics.TopicModel
    topics: alignment.Topics
    topic_ids: list[int]  # [L], in the order of its rows
    names: dict[int, Name]  # by topic_id
    shares: NDArray[np.float32]  # [N, L], 0 in petitions that it does not know
    is_whole: bool = True  # else its matrix is lost, and `topics` has the stored terms alone
    turnover: float = math.inf  # see `Lasting`; unknown of fits of older versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """A new fit under lasting ids, and what became of the topics before."""

    fit: TopicFit
    topic_ids: list[int]  # [K], in the order of its rows
    events: list[Event]
    common: float  # share of the petitions that the published fit knows too
    kept: float  # share of the petitions of the published fit that are in this one
    changed: float | None  # share of those
    turnover: float  # share of petitions that have come or gone, night by night, since a fit was last made anew


def read_published_fit(
    conn: Connection, artifacts: ArtifactStore, model: topics.TopicModel, petition_ids: Sequence[str]
) -> Published:
    """Read a fit with its matrix, and its shares in the petitions of another window, N of them.

    Where its files are lost or damaged, with what Postgres has kept of it: only ids and names can go on from that.
    """
    stored = topic_reads.read_topics(conn, model.model_id)
    shares = topic_reads.read_shares(conn, model.model_id, petition_ids)  # [N, L], in the order of topic_id
    try:
        kept = _unpack(artifacts, f"{model.artifact}/{TOPICS_FILE}")
    except PermanentError as error:
        told = "the fit %s cannot be gone on from: %s; topics are found anew, and keep their ids by words and petitions"
        logger.warning(told, model.model_id, error)
        return Published(
            model=model,
            topics=_read_terms([topic.terms for topic in stored]),
            topic_ids=[topic.topic_id for topic in stored],
            names={
                topic.topic_id: Name(label=topic.label, terms=[one.term for one in topic.terms]) for topic in stored
            },
            shares=shares,
            is_whole=False,
        )
    topic_ids: list[int] = kept["topic_ids"].tolist()
    label_terms = kept["label_terms"].tolist() if "label_terms" in kept else []  # fits of older versions kept none
    by_id = {topic.topic_id: topic for topic in stored}
    return Published(
        model=model,
        topics=alignment.Topics(
            topic_word=kept["topic_word"],
            terms=kept["terms"].tolist(),
            top_terms=[[item.term for item in by_id[topic_id].terms] for topic_id in topic_ids],
        ),
        topic_ids=topic_ids,
        names={
            topic_id: Name(label=by_id[topic_id].label, terms=terms)
            for topic_id, terms in zip(topic_ids, label_terms, strict=bool(label_terms))
        },
        shares=shares[:, [sorted(topic_ids).index(topic_id) for topic_id in topic_ids]],
        turnover=float(kept["turnover"]) if "turnover" in kept else math.inf,
    )


def _unpack(artifacts: ArtifactStore, path: str) -> dict[str, NDArray[Any]]:
    """Read the arrays of a fit.

    Raises:
        PermanentError: there is no such file, or it is none of ours.
    """
    content = artifacts.read(path)
    try:
        with np.load(io.BytesIO(content)) as packed:
            kept = {name: packed[name] for name in packed.files}
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:  # the last: one bare array
        raise PermanentError(f"{path} is damaged: {type(error).__name__}") from error
    if absent := {"topic_word", "terms", "topic_ids"} - kept.keys():
        raise PermanentError(f"{path} is damaged: it has no {', '.join(sorted(absent))}")
    return kept


def _read_terms(top_terms: Sequence[Sequence[Term]]) -> alignment.Topics:
    """Topics by their best terms alone, as if they had no others."""
    terms = list(dict.fromkeys(item.term for topic in top_terms for item in topic))
    column = {term: place for place, term in enumerate(terms)}
    topic_word = np.zeros((len(top_terms), len(terms)))  # [K, terms]
    for row, topic in enumerate(top_terms):
        for item in topic:
            topic_word[row, column[item.term]] = item.probability
    topic_word /= np.maximum(topic_word.sum(axis=1, keepdims=True), 1e-12)
    return alignment.Topics(
        topic_word=topic_word, terms=terms, top_terms=[[item.term for item in topic] for topic in top_terms]
    )


def fit_lasting(
    documents: Iterable[Sequence[str]],
    settings: LdaSettings,
    window: Window,
    published: Published | None,
    highest_id: int,
) -> Lasting:
    """Fit until a fit may be published in the place of the last one; see `refit_topics`.

    Args:
        documents: tokens of N petitions; see `fit_topics`.
        settings: of the fit from the first seed.
        window: of the petitions.
        published: where it begins, and what it is compared with; None before the first.
        highest_id: that a topic ever had.

    Raises:
        EmptyWindowError: see `fit_topics`.
        CheckFailedError: no seed gave such a fit.
    """
    start = None
    if published and published.is_whole:
        start = Start(topic_word=published.topics.topic_word, terms=published.topics.terms)
    turnover = add_turnover(published) if published else 0.0
    trusted = published.model.npmi if published and turnover <= MOST_TURNOVER else None
    faults: list[str] = []
    for refit in refit_topics(documents, settings, start, trusted_npmi=trusted):
        lasting = _align(refit, published, highest_id, turnover)
        faults = _find_faults(lasting, published, window)
        if not faults:
            return lasting
        logger.warning("fit from seed %d: %s", refit.fit.seed, "; ".join(faults))
    raise CheckFailedError(f"no fit from {MOST_SEEDS} seeds may be published, the last one stays: {'; '.join(faults)}")


def add_turnover(published: Published) -> float:
    """The turnover of the published fit, and of tonight's window beside its own.

    Infinite where a fit cannot be trusted alone: by other means than tonight's, or of which the turnover is not known.
    """
    if published.model.tokenizer != TOKENIZER:
        return math.inf
    known = published.shares.any(axis=1)  # [N]; also of petitions without a known word
    came, went = 1 - float(known.mean()), 1 - float(known.sum()) / published.model.n_petitions
    return published.turnover + max(came, went)


def _align(refit: Refit, published: Published | None, highest_id: int, turnover: float) -> Lasting:
    """Find which topic continues which; none before the first fit."""
    fit = refit.fit
    old = published.topics if published else alignment.NO_TOPICS
    old_ids = published.topic_ids if published else []
    old_shares = published.shares if published else np.zeros((len(fit.document_topic), 0), np.float32)
    words = [[item.term for item in terms] for terms in fit.top_terms]
    new = alignment.Topics(topic_word=fit.topic_word, terms=fit.terms, top_terms=words)
    if published and not published.is_whole:  # like beside like: the rest of the words would only tell them apart
        new = _read_terms(fit.top_terms)
    comparison = alignment.compare_topics(new, old, fit.document_topic, old_shares)
    alignments = alignment.align_topics(comparison)
    topic_ids = alignment.assign_topic_ids(alignments, old_ids, highest_id)
    known = np.ptp(old_shares, axis=1) > 0 if old_ids else np.zeros(len(old_shares), bool)  # [N]
    new_main = np.array(topic_ids)[fit.document_topic[known].argmax(axis=1)]
    old_main = np.array(old_ids, np.int64)[old_shares[known].argmax(axis=1)] if old_ids else new_main
    return Lasting(
        fit=fit,
        topic_ids=topic_ids,
        events=tell_events(alignments, comparison),
        common=float(known.mean()),
        kept=float(known.sum()) / published.model.n_petitions if published else 0.0,
        changed=gate.measure_changed(new_main, old_main),
        turnover=0.0 if refit.is_compared else turnover,
    )


def _find_faults(lasting: Lasting, published: Published | None, window: Window) -> list[str]:
    """What keeps the fit from being published; the published one is no measure where its number of topics differs.

    Nor is it where it ends later: a backfill of older nights does not take its place. Nor where it knows too few of
    the petitions, or had many that are not here, or its window is longer or shorter: see `gate.is_measure`; nor where
    another engine or tokenizer made it: who installs a version that makes other topics means it. Nor where its files
    are lost: a fit that begins anew is other, and the nights would stop for good.
    """
    if published is None or not published.is_whole or lasting.changed is None:
        return []
    if len(published.topic_ids) != len(lasting.topic_ids):
        return []
    if (published.model.engine, published.model.tokenizer) != (lasting.fit.engine, TOKENIZER):
        return []
    if window.until < published.model.window.until:
        return []
    if not gate.is_measure(lasting.common, lasting.kept, window.n_days, published.model.window.n_days):
        return []
    new = gate.Quality(npmi=lasting.fit.npmi, diversity=lasting.fit.diversity)
    old = gate.Quality(npmi=published.model.npmi, diversity=published.model.diversity)
    return gate.find_faults(new, old, lasting.changed)
