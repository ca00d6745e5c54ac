"""The step fit_topics, from the tokens in the store to a fit in the store: the glue between topics and tables.

A fit is named after its window, tokens and settings. The same ones give the same name, and a fit that is stored already
is not made again, also where another one has been published since: its events say from which it went on.
"""

import hashlib
import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import version
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from petitions.records import Source, Window
from petitions.settings import TopicCount
from petitions.steps.lasting_ids import TOPICS_FILE, Lasting, Published, fit_lasting, read_published_fit
from petitions.steps.step import Run
from petitions.steps.topic_names import Name, name_topics
from petitions.store import runs, topic_reads, topics
from petitions.store.artifacts import ArtifactStore
from petitions.store.tokens import TokenStream, open_tokens
from petitions.text.tokenizer import TOKENIZER
from petitions.topics.choice import CANDIDATES, Trial, choose_n_topics
from petitions.topics.labels import Embed
from petitions.topics.lda import MIN_DOCUMENTS_PER_TOPIC, RULES, LdaSettings
from petitions.topics.lda import fit_topics as fit_lda

logger = logging.getLogger(__name__)

MODEL_FILE = "lda.zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The tokens of a stream alone, of each document or of every so-many-th, read anew in each pass."""

    stream: TokenStream
    first: int = 0
    step: int = 1

    def __iter__(self) -> Iterator[list[str]]:
        """The tokens of one petition after the other."""
        return (tokens for _, tokens in islice(self.stream, self.first, None, self.step))


def fit_topics(run: Run) -> str:
    """Fit the topics of the window, or find the same fit made already; returns its model_id.

    Raises:
        EmptyWindowError: too few petitions with tokens for any topics.
        CheckFailedError: the fit is much worse than the published one, or other; the last one stays published.
    """

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        from petitions.steps.encoders import load_encoder  # TensorFlow and BERT, for the first texts alone

        return load_encoder("bert", run.settings)[1](texts)

    with run.step("fit_topics") as progress:
        parts = (run.engine, run.artifacts, run.source, run.window, run.settings.topics)
        model = fit_window(*parts, at=run.clock(), embed=embed)
        progress.rows_in, progress.rows_out, progress.made_by = model.n_petitions, model.n_topics, model.engine
        with run.engine.begin() as conn:
            runs.record_model(conn, run.run_id, model.model_id)
    return model.model_id


def fit_window(
    engine: Engine,
    artifacts: ArtifactStore,
    source: Source,
    window: Window,
    n_topics: TopicCount,
    at: datetime,
    embed: Embed | None = None,
) -> topics.TopicModel:
    """Fit the topics of a window and store them, under the lasting ids of the published fit.

    Args:
        engine: the results database; what is written is one transaction.
        artifacts: gets the model in gensim's format, the topic-word matrix with its ids and a picture of the topics,
            before the rows are there.
        source: whose petitions.
        window: which of them.
        n_topics: K, or auto.
        at: the moment.
        embed: says which of nearly equal labels is best; see `label_topics`.

    Raises:
        EmptyWindowError: too few petitions for any topics.
        CheckFailedError: from no seed the fit may take the place of the published one; the message says why not.
    """
    with open_tokens(engine, source, window, TOKENIZER) as stream:
        petition_ids, model_id = _name_fit(source, window, n_topics, stream)
        if stored := topic_reads.find_topic_model(stream.conn, model_id):
            logger.info("fit %s is stored already", model_id)
            return stored
        before = topic_reads.read_published(stream.conn, source)
        published = read_published_fit(stream.conn, artifacts, before, petition_ids) if before else None
        highest_id = topic_reads.read_highest_id(stream.conn, source)
        documents = Documents(stream=stream)
        settings, curve = _choose_settings(documents, n_topics, before.n_topics if before else None)
        lasting = fit_lasting(documents, settings, window, published, highest_id)
        names = name_topics(
            stream.conn, lasting.fit, petition_ids, lasting.topic_ids, published.names if published else {}, embed
        )
    fit = lasting.fit
    model = topics.TopicModel(
        model_id=model_id,
        run_id=runs.name_run(source, window),
        source=source,
        window=window,
        engine=fit.engine,
        tokenizer=TOKENIZER,
        seed=fit.seed,
        n_topics=len(fit.topic_word),
        n_petitions=len(petition_ids),
        n_terms=fit.n_terms,
        npmi=fit.npmi,
        c_v=fit.c_v,
        diversity=fit.diversity,
        stability=next((point.stability for point in curve if point.n_topics == len(fit.topic_word)), None),
        changed_share=lasting.changed,
        note=fit.note or None,
        curve=tuple(curve) or None,
        artifact=f"topics/{model_id}",
        fitted_at=at,
    )
    _write_artifacts(artifacts, model, lasting, names)
    rows = _make_topics(lasting, names)
    with engine.begin() as conn:
        parts = (_make_events(lasting, published), petition_ids, fit.document_topic, fit.is_borne.tolist())
        topics.write_topic_model(conn, model, rows, *parts)
    return model


def _name_fit(source: Source, window: Window, n_topics: TopicCount, stream: TokenStream) -> tuple[list[str], str]:
    """The petitions, and a name of source, end of the window, and a hash of what the fit is made from."""
    made_by = (RULES, version("tomotopy"), version("gensim"), asdict(LdaSettings()), n_topics)
    digest = hashlib.sha256(repr((window, TOKENIZER, made_by)).encode())
    petition_ids = []
    for petition_id, words in stream:
        petition_ids.append(petition_id)
        digest.update("\x00".join((petition_id, *words, "\n")).encode())
    return petition_ids, f"{source}-{window.until}-{digest.hexdigest()[:10]}"


def _choose_settings(
    documents: Documents, n_topics: TopicCount, current: int | None
) -> tuple[LdaSettings, list[topics.CurvePoint]]:
    """So many topics, or as many as are stable and coherent, with what speaks for it."""
    if n_topics != "auto":
        return LdaSettings(n_topics=n_topics), []
    n_documents = len(documents.stream) // 2
    if n_documents < CANDIDATES[0] * MIN_DOCUMENTS_PER_TOPIC:  # too few to compare fits of their halves
        return LdaSettings(n_topics=CANDIDATES[0]), []

    def fit_half(n_topics: int, half: int) -> Trial:
        found = fit_lda(replace(documents, first=half, step=2), LdaSettings(n_topics=n_topics))
        return Trial(top_terms=[[item.term for item in terms] for terms in found.top_terms], npmi=found.npmi)

    choice = choose_n_topics(fit_half, n_documents, current)
    curve = [topics.CurvePoint(**asdict(point)) for point in choice.curve]
    return LdaSettings(n_topics=choice.n_topics), curve


def _write_artifacts(
    artifacts: ArtifactStore, model: topics.TopicModel, lasting: Lasting, names: Sequence[Name]
) -> None:
    """Keep the model, a picture, and the topic-word matrix in NumPy's format, which holds no code, unlike gensim's."""
    from petitions.topics.visualization import draw_topics  # matplotlib and more, which a stored fit need not wait for

    fit, buffer = lasting.fit, io.BytesIO()
    np.savez_compressed(
        buffer,
        topic_word=fit.topic_word,  # [K, V]
        terms=np.array(fit.terms),
        topic_ids=np.array(lasting.topic_ids),
        label_terms=np.array([name.terms for name in names]),  # [K, TOP_TERMS], when the topic got its label
    )
    mean_length = max(1, round(fit.n_tokens / len(fit.document_topic)))
    picture = draw_topics(
        topic_word=fit.topic_word,
        document_topic=fit.document_topic,
        document_lengths=np.full(len(fit.document_topic), mean_length),  # a circle is as large as topic.mixture_share
        terms=fit.terms,
        topic_ids=lasting.topic_ids,
        labels=[name.label for name in names],
    )
    artifacts.write(f"{model.artifact}/{MODEL_FILE}", fit.to_bytes())
    artifacts.write(f"{model.artifact}/{TOPICS_FILE}", buffer.getvalue())
    artifacts.write(f"{model.artifact}/{topics.PICTURE_FILE}", picture.encode())


def _make_topics(lasting: Lasting, names: Sequence[Name]) -> list[topics.Topic]:
    fit = lasting.fit
    mixture = fit.document_topic.mean(axis=0, dtype=np.float64)  # [K]
    return [
        topics.Topic(
            topic_id=topic_id,
            label=names[k].label,
            mixture_share=float(mixture[k]),
            npmi=fit.npmi_by_topic[k],
            terms=[
                topics.TopicTerm(term=item.term, probability=item.probability, relevance=item.relevance)
                for item in fit.top_terms[k]
            ],
        )
        for k, topic_id in enumerate(lasting.topic_ids)
    ]


def _make_events(lasting: Lasting, published: Published | None) -> list[topics.TopicEvent]:
    """The events by lasting ids; a topic that is born comes from no fit."""
    return [
        topics.TopicEvent(
            kind=event.kind,
            topic_id=None if event.new is None else lasting.topic_ids[event.new],
            from_model_id=None if event.old is None or published is None else published.model.model_id,
            from_topic_id=None if event.old is None or published is None else published.topic_ids[event.old],
            distance=event.distance,
            overlap=event.overlap,
        )
        for event in lasting.events
    ]
