"""Tokens of documents come in; topics, their terms and their share in each document go out."""

import io
import logging
import math
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gensim.corpora import Dictionary
from gensim.models import LdaModel, Nmf, TfidfModel
from numpy.typing import NDArray

from petitions.errors import ConfigError, EmptyWindowError
from petitions.topics.coherence import measure_c_v, measure_diversity, measure_npmi, measure_relevance
from petitions.topics.corpus import Bag, Corpus, build_corpus

logger = logging.getLogger(__name__)

ENGINE = "gensim LdaModel from NMF"
TOP_TERMS = 20  # of a topic; the coherence, the diversity and the tables are over these
MIN_DOCUMENTS_PER_TOPIC = 5
NMF_UPDATES = 20  # of the factors that the fit starts from
MODEL_FILE, DICTIONARY_FILE = "lda.model", "dictionary"


@dataclass(frozen=True, slots=True, kw_only=True)
class LdaSettings:
    """All that decides a fit besides its documents. The defaults were chosen on the Blue House's 2019-06 to 08."""

    n_topics: int = 9
    random_seed: int = 0
    no_below: int = 10
    no_above: float = 0.2
    max_repeats: int = 3
    max_terms: int = 30_000
    chunksize: int = 2_000  # documents an update is made from: batches (three months are one) beat gensim's 256
    n_updates: int = 50  # of the topics at least; the passes over the documents follow from it
    prior: float = 0.6  # alpha and eta: variational Bayes wants about 0.5 more than sampling (Asuncion et al. 2009)
    relevance_weight: float = 0.7  # lambda of Sievert and Shirley, by which the terms of a topic are ranked

    def __post_init__(self) -> None:
        if not 2 <= self.n_topics <= 200:
            raise ConfigError(f"n_topics must be 2 to 200, got {self.n_topics}")
        if not 0 <= self.random_seed < 2**32:
            raise ConfigError(f"random_seed must be 0 to 4294967295, got {self.random_seed}")
        if not 0 < self.no_above <= 1:
            raise ConfigError(f"no_above must be over 0 and at most 1, got {self.no_above}")
        if self.prior <= 0:
            raise ConfigError(f"prior must be over 0, got {self.prior}")
        if not 0 <= self.relevance_weight <= 1:
            raise ConfigError(f"relevance_weight must be 0 to 1, got {self.relevance_weight}")
        for name in ("no_below", "max_repeats", "max_terms", "chunksize", "n_updates"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopTerm:
    """A term of a topic, its probability within the topic, and its relevance to it (a logarithm)."""

    term: str
    probability: float
    relevance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFit:
    """K topics over V terms and N documents, the topics in the model's own order."""

    terms: list[str]  # [V]
    topic_word: NDArray[np.float32]  # [K, V], rows sum to 1
    document_topic: NDArray[np.float32]  # [N, K], rows sum to 1; a document without known terms has 1 / K everywhere
    top_terms: list[list[TopTerm]]  # [K, TOP_TERMS], by falling relevance
    npmi_by_topic: list[float]  # [K], of the top terms
    npmi: float
    c_v: float
    diversity: float
    seed: int
    n_petitions: int  # with at least one known term
    n_terms: int
    model: LdaModel
    dictionary: Dictionary

    def to_bytes(self) -> bytes:
        """The model and the dictionary as gensim saves them, in a zip archive."""
        buffer = io.BytesIO()
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            self.model.save(str(Path(folder, MODEL_FILE)))
            self.dictionary.save(str(Path(folder, DICTIONARY_FILE)))
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
        return buffer.getvalue()


def load_model(data: bytes) -> tuple[LdaModel, Dictionary]:
    """Read back what `TopicFit.to_bytes` wrote. gensim unpickles: give it artifacts of our own making only."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)  # member names cannot leave the folder: zipfile strips drives and ".."
        return LdaModel.load(str(Path(folder, MODEL_FILE))), Dictionary.load(str(Path(folder, DICTIONARY_FILE)))


def fit_topics(documents: Sequence[Sequence[str]], settings: LdaSettings) -> TopicFit:
    """Fit LDA by variational Bayes (Hoffman and others 2010) and measure its topics.

    Args:
        documents: N lists of tokens, ordered by petition_id: order and seed decide the fit, to the bit on one machine.
        settings: of the fit.

    Raises:
        EmptyWindowError: no documents, fewer than `MIN_DOCUMENTS_PER_TOPIC` a topic with a known term, or fewer
            than `TOP_TERMS` known terms.
    """
    corpus = build_corpus(
        documents,
        no_below=settings.no_below,
        no_above=settings.no_above,
        max_repeats=settings.max_repeats,
        max_terms=settings.max_terms,
    )
    usable = [bag for bag in corpus.bags if bag]
    _check_size(len(documents), len(usable), len(corpus.dictionary), settings.n_topics)
    model = _fit_model(usable, corpus.dictionary, settings)
    topic_word = model.get_topics().astype(np.float64)  # [K, V]
    topic_word /= topic_word.sum(axis=1, keepdims=True)
    top_terms = _rank_terms(topic_word, usable, corpus.dictionary, settings.relevance_weight)
    words = [[item.term for item in topic] for topic in top_terms]
    npmi_by_topic = measure_npmi(words, documents, corpus.dictionary)
    return TopicFit(
        terms=[corpus.dictionary[term_id] for term_id in range(len(corpus.dictionary))],
        topic_word=topic_word.astype(np.float32),
        document_topic=_infer_shares(model, corpus, settings.n_topics),
        top_terms=top_terms,
        npmi_by_topic=npmi_by_topic,
        npmi=float(np.mean(npmi_by_topic)),
        c_v=measure_c_v(words, documents, corpus.dictionary),
        diversity=measure_diversity(words),
        seed=settings.random_seed,
        n_petitions=len(usable),
        n_terms=len(corpus.dictionary),
        model=model,
        dictionary=corpus.dictionary,
    )


def _check_size(n_documents: int, n_usable: int, n_terms: int, n_topics: int) -> None:
    if n_documents == 0:
        raise EmptyWindowError("no petition in the window: there is nothing to find topics in")
    if n_usable < MIN_DOCUMENTS_PER_TOPIC * n_topics:
        raise EmptyWindowError(
            f"{n_usable} of {n_documents} petitions hold a known term; {n_topics} topics need at least "
            f"{MIN_DOCUMENTS_PER_TOPIC * n_topics}: take a longer window or fewer topics"
        )
    if n_terms < TOP_TERMS:
        raise EmptyWindowError(f"{n_documents} petitions share only {n_terms} terms; at least {TOP_TERMS} are needed")


def _fit_model(bags: list[Bag], dictionary: Dictionary, settings: LdaSettings) -> LdaModel:
    """Fit from a start at NMF's topics: from a random one, a small corpus or an unlucky seed ends in mixed topics."""
    n_chunks = math.ceil(len(bags) / settings.chunksize)
    passes = math.ceil(settings.n_updates / n_chunks)
    model = LdaModel(
        num_topics=settings.n_topics,
        id2word=dictionary,
        alpha=[settings.prior] * settings.n_topics,
        eta=settings.prior,
        chunksize=settings.chunksize,
        passes=passes,
        eval_every=None,
        random_state=settings.random_seed,
    )
    n_tokens = sum(count for bag in bags for _, count in bag)
    model.state.sstats[:] = _fit_nmf(bags, dictionary, settings) * (n_tokens / settings.n_topics)  # [K, V]
    model.sync_state()
    model.update(bags)
    logger.info("fitted %d topics in %d passes over %d documents", settings.n_topics, passes, len(bags))
    return model


def _fit_nmf(bags: list[Bag], dictionary: Dictionary, settings: LdaSettings) -> NDArray[np.float64]:
    """Topics by non-negative factors of TF-IDF, [K, V], rows sum to 1; a factor that died is all zeros."""
    tfidf = TfidfModel(bags)
    nmf = Nmf(
        [tfidf[bag] for bag in bags],
        num_topics=settings.n_topics,
        id2word=dictionary,
        chunksize=settings.chunksize,
        passes=math.ceil(NMF_UPDATES * settings.chunksize / max(settings.chunksize, len(bags))),
        eval_every=None,
        random_state=settings.random_seed,
    )
    factors: NDArray[np.float64] = nmf.get_topics(normalize=False).astype(np.float64)  # [K, V]
    factors /= np.maximum(factors.sum(axis=1, keepdims=True), 1e-12)
    return factors


def _rank_terms(
    topic_word: NDArray[np.float64], bags: list[Bag], dictionary: Dictionary, weight: float
) -> list[list[TopTerm]]:
    """The most relevant terms of each topic, ties in the order of the dictionary."""
    counts = np.zeros(len(dictionary))  # [V]
    for bag in bags:
        for term_id, count in bag:
            counts[term_id] += count
    relevance = measure_relevance(topic_word, counts / counts.sum(), weight)  # [K, V]
    best = np.argsort(-relevance, axis=1, kind="stable")[:, :TOP_TERMS]  # [K, TOP_TERMS]
    return [
        [
            TopTerm(term=dictionary[i], probability=float(topic_word[k, i]), relevance=float(relevance[k, i]))
            for i in term_ids
        ]
        for k, term_ids in enumerate(best.tolist())
    ]


def _infer_shares(model: LdaModel, corpus: Corpus, n_topics: int) -> NDArray[np.float32]:
    """The share of each topic in each document, [N, K]; 1 / K where no term is known."""
    gamma, _ = model.inference(corpus.bags)  # [N, K]
    shares = gamma.astype(np.float64)
    shares[[not bag for bag in corpus.bags]] = 1 / n_topics
    shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(shares, dtype=np.float32)
