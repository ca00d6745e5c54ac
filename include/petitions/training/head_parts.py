"""The parts of a stacked head, each fitted alone: texts and labels in, tensors and logits out.

The month to stop by ends the rounds of a network. All else is chosen on both sets, block by block in time, each held
out in turn (one month is too few to choose by), and what is kept is fitted on both. Shapes: N texts, F features,
L labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from petitions.encoders.head_files import PartOrder, Tensors
from petitions.encoders.signs import count_signs
from petitions.encoders.word_weights import count_documents, weigh_words
from petitions.training.judge import Logits, Truth, decide, find_log_loss, find_refined_loss

MIN_DOCUMENTS = 3  # that a word stands in: what one or two wrote is no part of the weights
N_BUCKETS = 2**17
N_BLOCKS = 5
WORD_STRENGTHS = (0.3, 1.0, 3.0)
SIGN_STRENGTHS = (0.01, 0.1, 1.0)
VECTOR_STRENGTHS = (0.001, 0.003, 0.01, 0.03)
LEAST_WIDTH = 1e-6  # of a feature; under it lies what rounding makes of a constant
MOST_WEIGHT = 3.0  # of a part beside the others

Features = Any  # float [N, F], an array or a sparse one of scipy, which has no types
Words = list[list[str]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled(Generic[T]):
    """What a part reads of the three sets of petitions, and their labels [N]; -1 of one that is not trained on."""

    train: T
    stop: T
    test: T
    train_truth: Truth
    stop_truth: Truth

    @property
    def truth(self) -> Truth:
        """The labels [N] of both sets that are fitted on: unknown ones of the second are left out."""
        return np.concatenate([self.train_truth, self.stop_truth[self.stop_truth >= 0]])


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPart:
    """A part: its tensors and bias [L], and logits [N, L] of both sets, each held out, and to test on."""

    order: PartOrder
    tensors: Tensors
    bias: npt.NDArray[np.float32]
    held_out: Logits
    of_test: Logits
    chosen: str  # in words
    curve: Sequence[Mapping[str, float]] = field(default_factory=list)


def fit_words(read: Labelled[Words]) -> FittedPart:
    """A regression over hashed TF-IDF of words and pairs; what stands in fewer than `MIN_DOCUMENTS` counts nothing."""
    counts, n_texts = count_documents([*read.train, *read.stop], N_BUCKETS), len(read.train) + len(read.stop)
    idf = np.where(counts >= MIN_DOCUMENTS, np.log((1 + n_texts) / (1 + counts)) + 1, 0).astype(np.float32)
    features = [weigh_words(words, idf) for words in (read.train, read.stop, read.test)]
    kernel, bias, held_out, of_test, strength = fit_both(features, read, WORD_STRENGTHS)
    return FittedPart(
        order=PartOrder(kind="words"),
        tensors={"words.idf": idf, "words.kernel": kernel},
        bias=bias,
        held_out=held_out,
        of_test=of_test,
        chosen=f"{np.count_nonzero(idf)} of {N_BUCKETS} buckets, C {strength:g}",
    )


def fit_signs(read: Labelled[list[str]]) -> FittedPart:
    """A regression over what can be counted."""
    counted = [count_signs(texts) for texts in (read.train, read.stop, read.test)]
    return _fit_scaled(PartOrder(kind="signs"), counted, counted[0].std(axis=0), read, SIGN_STRENGTHS)


def fit_vectors(order: PartOrder, read: Labelled[npt.NDArray[np.float32]]) -> FittedPart:
    """A regression over the vectors of a network, float32 [N, D]."""
    vectors = [read.train, read.stop, read.test]
    width = np.full(read.train.shape[1], read.train.std(axis=0).mean())
    return _fit_scaled(order, vectors, width, read, VECTOR_STRENGTHS)


def fit_elmo(order: PartOrder, read: Labelled[npt.NDArray[np.float32]], n_labels: int, seed: int) -> FittedPart:
    """Scalar mix and small network over pooled layers, float32 [N, K, D]."""
    from petitions.training.elmo_head import fit_elmo_head  # TensorFlow with it, which words and signs do without

    known = read.stop_truth >= 0
    first = fit_elmo_head((read.train, read.train_truth), (read.stop, read.stop_truth), n_labels, seed)
    joined, truth = np.concatenate([read.train, read.stop[known]]), read.truth
    held_out = np.zeros((len(truth), n_labels))
    for rows in split_blocks(truth):
        others = np.setdiff1d(np.arange(len(truth)), rows)
        found = fit_elmo_head((joined[others], truth[others]), None, n_labels, seed, first.n_rounds)
        held_out[rows] = found.classify(joined[rows])
    last = fit_elmo_head((joined, truth), None, n_labels, seed, first.n_rounds)
    return FittedPart(
        order=order,
        tensors=last.tensors,
        bias=last.bias,
        held_out=held_out,
        of_test=last.classify(read.test),
        chosen=f"{first.n_rounds} rounds",
        curve=first.curve,
    )


def fit_baseline(read: Labelled[Words]) -> tuple[Logits, Logits]:
    """What plain words reach, TF-IDF of all of them with a regression: logits held out and to test on."""
    counts = TfidfVectorizer(analyzer=_take_words, min_df=2, sublinear_tf=True).fit([*read.train, *read.stop])
    features = [counts.transform(words) for words in (read.train, read.stop, read.test)]
    _, _, held_out, of_test, _ = fit_both(features, read, WORD_STRENGTHS)
    return held_out, of_test


def fit_both(
    features: Sequence[Features], read: "Labelled[T]", strengths: tuple[float, ...]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], Logits, Logits, float]:
    """Fit regressions on both sets: kernel [F, L], bias [L], logits held out and to test on, and the best strength."""
    train, stop, test = features
    known = read.stop_truth >= 0
    joined = vstack([train, stop[known]]).tocsr() if isinstance(train, csr_matrix) else np.vstack([train, stop[known]])
    truth = read.truth
    held_out = {strength: _hold_out(joined, truth, strength) for strength in strengths}
    strength = min(strengths, key=lambda one: find_refined_loss(held_out[one], truth))
    last = _fit_logistic(joined, truth, strength)
    kernel, bias = last.coef_.T, last.intercept_  # [F, L], [L]; of two labels [F, 1], [1]
    if len(last.classes_) == 2:
        kernel, bias = np.concatenate([np.zeros_like(kernel), kernel], axis=1), np.array([0.0, bias[0]])
    return kernel.astype(np.float32), bias.astype(np.float32), held_out[strength], decide(last, test), strength


def split_blocks(truth: Truth) -> list[npt.NDArray[np.int64]]:
    """Divide N petitions, in their order of time, into `N_BLOCKS`; a block that alone has some label is left out.

    Returns:
        The places of each block, which are held out together: petitions of one week are alike.
    """
    blocks = np.array_split(np.arange(len(truth)), N_BLOCKS)
    return [rows for rows in blocks if set(truth[rows]) <= set(np.delete(truth, rows)) and len(rows)]


def _fit_logistic(features: Features, truth: Truth, strength: float) -> LogisticRegression:
    """Fit one regression; liblinear is ten times as fast, and knows two labels."""
    solver = "liblinear" if len(np.unique(truth)) == 2 else "lbfgs"
    return LogisticRegression(C=strength, max_iter=1000, solver=solver, random_state=0).fit(features, truth)


def _hold_out(joined: Features, truth: Truth, strength: float) -> Logits:
    """Logits [N, L] of each block by a regression on the others; 0 of a block whose labels the others lack."""
    labels = np.unique(truth)
    held_out = np.zeros((len(truth), len(labels)))
    for rows in split_blocks(truth):
        others = np.setdiff1d(np.arange(len(truth)), rows)
        model = _fit_logistic(joined[others], truth[others], strength)
        held_out[rows[:, np.newaxis], model.classes_] = decide(model, joined[rows])
    return held_out


def weigh_parts(held_out: Sequence[Logits], truth: Truth) -> list[float]:
    """How much each part counts: the weights of 0 or more whose sum of logits has the least log loss [N, L].

    Weights alone are fitted, no bias: the share of a label differs from month to month.
    """

    def measure(weights: npt.NDArray[np.float64]) -> float:
        total = sum(weight * logits for weight, logits in zip(weights, held_out, strict=True))
        return find_log_loss(np.asarray(total), truth)

    start = np.full(len(held_out), 1 / len(held_out))
    found = minimize(measure, start, bounds=[(0.0, MOST_WEIGHT)] * len(held_out), method="L-BFGS-B")
    return [float(weight) for weight in found.x]


def sum_tensors(parts: Sequence[FittedPart], weights: Sequence[float]) -> Tensors:
    """The tensors of all parts, each multiplied by its weight, and the common bias; a part that counts 0 stays out."""
    tensors: Tensors = {"bias": np.zeros_like(parts[0].bias)}
    for part, weight in zip(parts, weights, strict=True):
        if weight > 0:
            kernel = f"{part.order.kind}.kernel"
            tensors |= {**part.tensors, kernel: weight * part.tensors[kernel]}
            tensors["bias"] = tensors["bias"] + weight * part.bias
    return tensors


def _fit_scaled(
    order: PartOrder,
    raw: Sequence[npt.NDArray[np.floating]],
    width: npt.NDArray[np.floating],
    read: Labelled[T],
    strengths: tuple[float, ...],
) -> FittedPart:
    mean, width = raw[0].mean(axis=0), np.where(width > LEAST_WIDTH, width, 1.0)  # [F]
    scaled = [(values - mean) / width for values in raw]
    kernel, bias, held_out, of_test, strength = fit_both(scaled, read, strengths)
    plain = kernel / width[:, np.newaxis]  # what is scaled in the fit is read as it is
    return FittedPart(
        order=order,
        tensors={f"{order.kind}.kernel": plain.astype(np.float32)},
        bias=(bias - mean @ plain).astype(np.float32),
        held_out=held_out,
        of_test=of_test,
        chosen=f"C {strength:g}",
    )


def _take_words(words: list[str]) -> list[str]:
    return words
