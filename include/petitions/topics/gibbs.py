"""Counts and a prior come in; LDA's topics by collapsed Gibbs sampling go out (Griffiths and Steyvers 2004).

The sampler is tomotopy's, on one thread: on more its fits cannot be made again. gensim has none, and its variational
Bayes finds worse topics in few short texts (docs/topics.md).
"""

from dataclasses import dataclass

import numpy as np
import tomotopy
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

OPTIMIZE_EVERY = 10  # iterations: the weights of the topics (alpha) are fitted as well, since topics differ in size


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The mean over the samples of a chain: K topics over V terms in N documents."""

    topic_word: NDArray[np.float64]  # [K, V], rows sum to 1
    document_topic: NDArray[np.float64]  # [N, K], rows sum to 1
    alpha: NDArray[np.float64]  # [K], as fitted


def sample_topics(
    counts: csr_matrix,
    word_prior: NDArray[np.float64],
    *,
    alpha: float,
    burn_in: int,
    n_samples: int,
    sample_every: int,
    seed: int,
) -> Samples:
    """Sample a chain and take the mean of its late states, which is steadier than any one of them.

    Args:
        counts: [N, V], each row with at least one term, each term in at least one row.
        word_prior: [K, V], pseudo-counts of each term in each topic.
        alpha: pseudo-count of each topic in a document at the beginning; fitted from then on.
        burn_in: iterations before the first sample.
        n_samples: at least 1.
        sample_every: iterations between two samples.
        seed: with the counts in their order it decides the samples, on one machine.
    """
    n_topics, n_terms = word_prior.shape
    names = [str(term_id) for term_id in range(n_terms)]
    model = tomotopy.LDAModel(k=n_topics, alpha=alpha, eta=float(word_prior.min()), seed=seed)
    for row in range(counts.shape[0]):
        inside = slice(counts.indptr[row], counts.indptr[row + 1])
        model.add_doc([names[i] for i in np.repeat(counts.indices[inside], counts.data[inside]).tolist()])
    model.optim_interval, model.burn_in = OPTIMIZE_EVERY, 0
    for name, prior in zip(names, word_prior.T.tolist(), strict=True):
        model.set_word_prior(name, prior)
    topic_word = np.zeros((n_topics, n_terms))
    document_topic = np.zeros((counts.shape[0], n_topics))
    for number in range(n_samples):
        model.train(sample_every if number else burn_in, workers=1, parallel=tomotopy.ParallelScheme.NONE)
        topic_word += [model.get_topic_word_dist(k) for k in range(n_topics)]
        for row, document in enumerate(model.docs):
            document_topic[row] += document.get_topic_dist()
    column = np.argsort([int(name) for name in model.used_vocabs])  # tomotopy has its own order of the terms
    topic_word, document_topic = topic_word[:, column] / n_samples, document_topic / n_samples
    return Samples(
        topic_word=topic_word / topic_word.sum(axis=1, keepdims=True),
        document_topic=document_topic / document_topic.sum(axis=1, keepdims=True),
        alpha=np.asarray(model.alpha, dtype=np.float64),
    )
