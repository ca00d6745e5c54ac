"""A new fit of the step fit_topics: from the tokens of a window to rows and artifacts, under lasting ids and names."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice

import numpy as np

from petitions.settings import TopicCount
from petitions.steps.lasting_ids import TOPICS_FILE, Lasting, Published, add_turnover, fit_lasting, read_published_fit
from petitions.steps.step import Run
from petitions.steps.topic_names import Name, name_topics
from petitions.store import topic_reads, topics
from petitions.store.artifacts import ArtifactStore
from petitions.store.tokens import TokenStream
from petitions.text.tokenizer import TOKENIZER
from petitions.topics.choice import CANDIDATES, Trial, choose_n_topics
from petitions.topics.labels import Embed
from petitions.topics.lda import fit_topics as fit_lda
from petitions.topics.lda_settings import MIN_DOCUMENTS_PER_TOPIC, LdaSettings
from petitions.topics.refit import MOST_TURNOVER

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFit:
    """A fit that is taken, and what is to be stored with it."""

    lasting: Lasting
    names: list[Name]
    published: Published | None  # that it goes on from
    curve: list[topics.CurvePoint]


def make_fit(run: Run, stream: TokenStream, petition_ids: Sequence[str], embed: Embed | None = None) -> NewFit:
    """Fit the topics of a window, under the lasting ids of the published fit.

    Args:
        run: whose settings say how many topics, and whose artifacts hold the matrix of the published fit.
        stream: the tokens of the window.
        petition_ids: whose they are.
        embed: says which of nearly equal labels is best; see `label_topics`.

    Raises:
        EmptyWindowError: too few petitions for any topics.
        CheckFailedError: from no seed the fit may take the place of the published one; the message says why not.
    """
    before = topic_reads.read_published(stream.conn, run.source)
    published = read_published_fit(stream.conn, run.artifacts, before, petition_ids) if before else None
    highest_id = topic_reads.read_highest_id(stream.conn, run.source)
    documents = Documents(stream=stream)
    settings, curve = _choose_settings(documents, run.settings.topics, published)
    lasting = fit_lasting(documents, settings, run.window, published, highest_id)
    old_names = published.names if published else {}
    names = name_topics(stream.conn, lasting.fit, petition_ids, lasting.topic_ids, old_names, embed)
    return NewFit(lasting=lasting, names=names, published=published, curve=curve)


def store_fit(run: Run, model_id: str, petition_ids: Sequence[str], new: NewFit) -> topics.TopicModel:
    """Store a fit: the model in gensim's format, its matrix and a picture as artifacts, then the rows at once."""
    fit, model = new.lasting.fit, _describe_fit(run, model_id, new.lasting, new.curve)
    _write_artifacts(run.artifacts, model, new.lasting, new.names)
    rows = _make_topics(new.lasting, new.names)
    with run.engine.begin() as conn:
        parts = (_make_events(new.lasting, new.published), petition_ids, fit.document_topic, fit.is_borne.tolist())
        topics.write_topic_model(conn, model, rows, *parts)
    return model


def _describe_fit(run: Run, model_id: str, lasting: Lasting, curve: Sequence[topics.CurvePoint]) -> topics.TopicModel:
    fit = lasting.fit
    return topics.TopicModel(
        model_id=model_id,
        run_id=run.run_id,
        source=run.source,
        window=run.window,
        engine=fit.engine,
        tokenizer=TOKENIZER,
        seed=fit.seed,
        n_topics=len(fit.topic_word),
        n_petitions=len(fit.document_topic),
        n_terms=fit.n_terms,
        npmi=fit.npmi,
        c_v=fit.measure_c_v(),
        diversity=fit.diversity,
        stability=next((point.stability for point in curve if point.n_topics == len(fit.topic_word)), None),
        changed_share=lasting.changed,
        note=fit.note or None,
        curve=tuple(curve) or None,
        artifact=f"topics/{model_id}",
        fitted_at=run.clock(),
    )


def _choose_settings(
    documents: Documents, n_topics: TopicCount, published: Published | None
) -> tuple[LdaSettings, list[topics.CurvePoint]]:
    """So many topics, or as many as are stable and coherent, with what speaks for it.

    That is found by eighteen fits, and stands while topics that go on from the published ones are trusted alone.
    """
    if n_topics != "auto":
        return LdaSettings(n_topics=n_topics), []
    if published and published.model.curve and add_turnover(published) <= MOST_TURNOVER:
        return LdaSettings(n_topics=published.model.n_topics), list(published.model.curve)
    n_documents = len(documents.stream) // 2
    if n_documents < CANDIDATES[0] * MIN_DOCUMENTS_PER_TOPIC:  # too few to compare fits of their halves
        return LdaSettings(n_topics=CANDIDATES[0]), []

    def fit_half(n_topics: int, half: int) -> Trial:
        found = fit_lda(replace(documents, first=half, step=2), LdaSettings(n_topics=n_topics))
        return Trial(top_terms=[[item.term for item in terms] for terms in found.top_terms], npmi=found.npmi)

    choice = choose_n_topics(fit_half, n_documents, published.model.n_topics if published else None)
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
        turnover=lasting.turnover,
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
