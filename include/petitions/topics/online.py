"""A stream of bags and a prior come in; LDA's topics by online variational Bayes go out (Hoffman and others 2010).

For corpora that sampling cannot hold: gensim's LdaModel keeps one chunk of documents in memory, whatever their number.
Its topics are less coherent (docs/topics.md).
"""

import math
from collections.abc import Iterable

import numpy as np
from gensim.corpora import Dictionary
from gensim.models import LdaModel
from gensim.utils import chunkize_serial
from numpy.typing import NDArray

from petitions.topics.corpus import Bag, BagStream
from petitions.topics.gibbs import Samples

CHUNK = 2_000  # documents: larger chunks find better topics than gensim's 256
LEAST_UPDATES = 50  # of the topics; the passes over the documents follow from it
PRIOR = 0.6  # alpha and eta: variational Bayes wants about 0.5 more than sampling (Asuncion and others 2009)


def fit_online(bags: BagStream, factors: NDArray[np.float64], *, seed: int) -> LdaModel:
    """Fit from a start at given topics: from a random one, an unlucky seed ends in mixed topics.

    Args:
        bags: N bags over V terms, read several times.
        factors: [K, V], rows sum to 1.
        seed: with the order of the bags it decides the fit, on one machine.
    """
    n_topics = len(factors)
    model = LdaModel(
        num_topics=n_topics,
        id2word=bags.dictionary,
        alpha=[PRIOR] * n_topics,
        eta=PRIOR,
        chunksize=CHUNK,
        passes=math.ceil(LEAST_UPDATES / math.ceil(len(bags) / CHUNK)),
        eval_every=None,
        random_state=seed,
    )
    model.state.sstats[:] = factors * (bags.dictionary.num_pos / n_topics)  # [K, V]
    model.sync_state()
    model.update(bags)
    return model


def infer_shares(model: LdaModel, bags: Iterable[Bag]) -> NDArray[np.float32]:
    """The shares of the topics in each document, [N, K]; 1 / K in a document without known terms."""
    parts = [np.zeros((0, model.num_topics), np.float32)]
    for chunk in chunkize_serial(bags, CHUNK):
        gamma, _ = model.inference(chunk)  # [CHUNK, K]
        gamma[[not bag for bag in chunk]] = 1
        parts.append((gamma / gamma.sum(axis=1, keepdims=True)).astype(np.float32))
    return np.concatenate(parts)


def as_lda_model(samples: Samples, n_tokens: int, dictionary: Dictionary, *, seed: int) -> LdaModel:
    """Sampled topics as a gensim model to infer with: the shares that it infers are much the same.

    Args:
        samples: K topics over V terms.
        n_tokens: of the corpus.
        dictionary: of the V terms.
        seed: of its inference.
    """
    n_topics, n_terms = samples.topic_word.shape
    model = LdaModel(
        num_topics=n_topics, id2word=dictionary, alpha=samples.alpha, eta=PRIOR, random_state=seed, eval_every=None
    )
    model.state.sstats[:] = np.maximum(samples.topic_word * (n_tokens / n_topics + PRIOR * n_terms) - PRIOR, 0)
    model.sync_state()
    return model
