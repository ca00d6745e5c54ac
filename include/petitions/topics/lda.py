"""Tokens of documents come in; topics, their terms and their share in each document go out.

Two engines, chosen by size: Gibbs sampling (gibbs.py) while the corpus has at most `max_sampled_tokens` tokens, and
gensim's online variational Bayes (online.py) beyond, which holds one chunk of documents in memory. Both begin at the
topics that non-negative matrix factorization (nmf.py) finds in up to N_SAMPLE documents, and the terms that readers
see are ranked in the same way.
"""

import io
import logging
import math
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import numpy as np
from gensim.corpora import Dictionary
from gensim.models import LdaModel
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from petitions.errors import EmptyWindowError
from petitions.topics.belonging import find_borne
from petitions.topics.coherence import measure_c_v, measure_diversity, measure_npmi
from petitions.topics.corpus import BagStream, build_dictionary, count_matrix, take_evenly
from petitions.topics.gibbs import sample_topics
from petitions.topics.lda_settings import MIN_DOCUMENTS_PER_TOPIC, LdaSettings
from petitions.topics.nmf import factorize, weigh_counts
from petitions.topics.online import as_lda_model, fit_online, infer_shares
from petitions.topics.ranking import rank_terms

logger = logging.getLogger(__name__)

TOP_TERMS = 20  # of a topic; the coherence, the diversity and the tables are over these
MIN_TOPICS = 2
N_SAMPLE = 20_000  # documents that start, coherence and, of a streamed corpus, ranking are taken from, evenly spaced
BLOCK = 2_000  # documents of which counts are in memory at once, where they are not of all
LEAST_CARRIED = 0.5  # of each topic that a fit begins at
MODEL_FILE, DICTIONARY_FILE = "lda.model", "dictionary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The topics of the published fit, which a fit begins at, so that they stay what they are."""

    topic_word: NDArray[np.floating]  # [L, W], rows sum to 1
    terms: Sequence[str]  # [W], of its columns


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
    is_borne: NDArray[np.bool_]  # [N], whether the document holds enough of its main topic's terms
    top_terms: list[list[TopTerm]]  # [K, TOP_TERMS], the best first
    npmi_by_topic: list[float]  # [K], of the top terms
    npmi: float
    diversity: float
    engine: str
    note: str  # empty, or why there are fewer topics than asked for
    seed: int
    n_petitions: int  # with at least one known term
    n_terms: int
    n_tokens: int  # that count, of the documents that the terms were ranked by
    model: LdaModel
    dictionary: Dictionary
    measured: Sequence[Sequence[str]]  # the documents that the coherence is measured over

    def measure_c_v(self) -> float:
        """Measure the mean c_v of the topics; it decides nothing, so only the fit that is taken needs it."""
        words = [[item.term for item in terms] for terms in self.top_terms]
        return measure_c_v(words, self.measured)

    def to_bytes(self) -> bytes:
        """The model and the dictionary as gensim saves them, in a zip archive.

        gensim unpickles what it loads: load artifacts of our own making only.
        """
        buffer = io.BytesIO()
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            self.model.save(str(Path(folder, MODEL_FILE)))
            self.dictionary.save(str(Path(folder, DICTIONARY_FILE)))
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
        return buffer.getvalue()


def fit_topics(documents: Iterable[Sequence[str]], settings: LdaSettings, start: Start | None = None) -> TopicFit:
    """Fit the topics of a corpus and measure them.

    Args:
        documents: N lists of tokens, ordered by petition_id, read several times: order and seed decide the fit, to the
            bit on one machine.
        settings: of the fit. A corpus too small for so many topics gets fewer, and the fit has a note.
        start: where it begins, if it has as many topics.

    Raises:
        EmptyWindowError: no documents, fewer than MIN_TOPICS * MIN_DOCUMENTS_PER_TOPIC with a known term, or fewer than
            TOP_TERMS known terms.
    """
    dictionary = build_dictionary(
        documents, no_below=settings.no_below, no_above=settings.no_above, max_terms=settings.max_terms
    )
    bags = BagStream(documents=documents, dictionary=dictionary, max_repeats=settings.max_repeats)
    few = take_evenly(documents, len(bags), N_SAMPLE)
    if len(few) == len(bags):
        bags = replace(bags, documents=few)  # all are in memory: not read again
    is_sampled = dictionary.num_pos <= settings.max_sampled_tokens
    counts = count_matrix(bags if is_sampled else replace(bags, documents=few), len(dictionary))
    usable = counts[np.diff(counts.indptr) > 0]
    n_topics = _bound_topics(len(bags), usable.shape[0], len(dictionary), settings.n_topics)
    step = math.ceil(usable.shape[0] / N_SAMPLE)
    begin = _carry(start, dictionary, n_topics)
    if begin is not None:
        settings = replace(settings, nmf_updates=settings.warm_updates, burn_in=settings.warm_burn_in)
    factors = factorize(weigh_counts(usable[::step]), n_topics, settings.nmf_updates, begin)  # [K, V]
    found = _sample(counts, usable, factors, bags, settings) if is_sampled else _fit_online(bags, factors, settings)
    ranked = rank_terms(
        found.topic_word,
        usable,
        relevance_weight=settings.relevance_weight,
        support_weight=settings.support_weight,
        n_terms=TOP_TERMS,
    )
    term_ids = [[term for term, _ in terms] for terms in ranked]
    is_borne = find_borne(_count_blocks(counts, bags), len(dictionary), found.document_topic, term_ids)
    return _measure(found, ranked, is_borne, few, bags.dictionary, usable, settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What an engine gives."""

    engine: str
    topic_word: NDArray[np.float64]
    document_topic: NDArray[np.float32]
    model: LdaModel


def _bound_topics(n_documents: int, n_usable: int, n_terms: int, n_topics: int) -> int:
    """As many topics as asked for, or as many as so few documents bear."""
    if n_documents == 0:
        raise EmptyWindowError("no petition in the window: there is nothing to find topics in")
    if n_usable < MIN_TOPICS * MIN_DOCUMENTS_PER_TOPIC:
        raise EmptyWindowError(
            f"{n_usable} of {n_documents} petitions hold a known term; {MIN_TOPICS} topics, the fewest, need at least "
            f"{MIN_TOPICS * MIN_DOCUMENTS_PER_TOPIC}: take a longer window"
        )
    if n_terms < TOP_TERMS:
        raise EmptyWindowError(f"{n_documents} petitions share only {n_terms} terms; at least {TOP_TERMS} are needed")
    return min(n_topics, n_usable // MIN_DOCUMENTS_PER_TOPIC, n_terms - 1)


def _carry(start: Start | None, dictionary: Dictionary, n_topics: int) -> NDArray[np.float64] | None:
    """The topics to begin at over the terms of the dictionary, [K, V].

    None where there are not as many as wanted, or where most of one is in terms that the corpus does not have.
    """
    if start is None or len(start.topic_word) != n_topics:
        return None
    ids = dictionary.token2id
    known = [(old, ids[term]) for old, term in enumerate(start.terms) if term in ids]
    old, new = np.array(known, np.int64).reshape(-1, 2).T
    carried = np.zeros((n_topics, len(dictionary)))  # [K, V]
    carried[:, new] = start.topic_word[:, old]
    return carried if carried.sum(axis=1).min() > LEAST_CARRIED else None


def _sample(
    counts: csr_matrix, usable: csr_matrix, factors: NDArray[np.float64], bags: BagStream, settings: LdaSettings
) -> _Found:
    """Sample from a prior at the factors."""
    n_topics, n_tokens = len(factors), int(usable.sum())
    samples = sample_topics(
        usable,
        settings.eta + factors * (settings.prior_share * n_tokens / n_topics),
        alpha=settings.alpha,
        burn_in=settings.burn_in,
        n_samples=settings.n_samples,
        sample_every=settings.sample_every,
        seed=settings.random_seed,
    )
    document_topic = np.full((counts.shape[0], n_topics), 1 / n_topics, np.float32)
    document_topic[np.diff(counts.indptr) > 0] = samples.document_topic
    return _Found(
        engine=f"tomotopy {version('tomotopy')} LDAModel from NMF",
        topic_word=samples.topic_word,
        document_topic=document_topic,
        model=as_lda_model(samples, n_tokens, bags.dictionary, seed=settings.random_seed),
    )


def _fit_online(bags: BagStream, factors: NDArray[np.float64], settings: LdaSettings) -> _Found:
    model = fit_online(bags, factors, seed=settings.random_seed)
    topic_word = model.get_topics().astype(np.float64)
    return _Found(
        engine=f"gensim {version('gensim')} LdaModel from NMF",
        topic_word=topic_word / topic_word.sum(axis=1, keepdims=True),
        document_topic=infer_shares(model, bags),
        model=model,
    )


def _count_blocks(counts: csr_matrix, bags: BagStream) -> Iterator[csr_matrix]:
    """The counts of all documents; where they are there of a sample alone, anew and some documents at a time."""
    if counts.shape[0] == len(bags):
        yield counts
        return
    rest = iter(bags)
    while (block := count_matrix(islice(rest, BLOCK), counts.shape[1])).shape[0]:
        yield block


def _measure(
    found: _Found,
    ranked: Sequence[Sequence[tuple[int, float]]],
    is_borne: NDArray[np.bool_],
    measured: Sequence[Sequence[str]],
    names: Dictionary,
    usable: csr_matrix,
    settings: LdaSettings,
) -> TopicFit:
    """Put the fit together, with the coherence of its terms over a few of the documents."""
    n_topics = len(found.topic_word)
    top_terms = [
        [
            TopTerm(term=names[term], probability=float(found.topic_word[k, term]), relevance=relevance)
            for term, relevance in terms
        ]
        for k, terms in enumerate(ranked)
    ]
    words = [[item.term for item in topic] for topic in top_terms]
    npmi_by_topic = measure_npmi(words, measured)
    n_petitions = int((np.ptp(found.document_topic, axis=1) > 0).sum())
    note = f"{n_topics} topics in place of {settings.n_topics}: {n_petitions} petitions, {len(names)} terms"
    logger.info("%s: %d topics over %d petitions and %d terms", found.engine, n_topics, n_petitions, len(names))
    return TopicFit(
        terms=[names[term] for term in range(len(names))],
        topic_word=found.topic_word.astype(np.float32),
        document_topic=found.document_topic,
        is_borne=is_borne,
        top_terms=top_terms,
        npmi_by_topic=npmi_by_topic,
        npmi=float(np.mean(npmi_by_topic)),
        diversity=measure_diversity(words),
        engine=found.engine,
        note="" if n_topics == settings.n_topics else note,
        seed=settings.random_seed,
        n_petitions=n_petitions,
        n_terms=len(names),
        n_tokens=int(usable.sum()),
        model=found.model,
        dictionary=names,
        measured=measured,
    )
