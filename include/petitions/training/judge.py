"""How good logits are: logits and true labels in, accuracy, macro F1, AUROC, calibration and confusion out.

Shapes: N petitions, L labels. A true label of -1 is one that nothing was trained on: it counts as missed.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

from petitions.encoders.probabilities import to_probabilities

N_BINS = 15  # of probability, for the calibration error (Guo et al. 2017)
WIDEST = 3.0  # a temperature is e^-3 to e^3

Logits = npt.NDArray[np.floating]
Truth = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good a model is on some petitions."""

    n_petitions: int
    accuracy: float
    macro_f1: float
    auroc: float | None  # mean of the labels, each against all others; of two labels that of the second; None: one only
    log_loss: float  # nats
    calibration_error: float  # expected, of the likeliest label


def judge(logits: Logits, truth: Truth) -> Quality:
    """Measure logits [N, L] against true labels [N]."""
    probabilities = to_probabilities(logits)  # [N, L]
    found = logits.argmax(axis=1)  # [N]
    labels = sorted({*truth.tolist(), *found.tolist()} - {-1})
    return Quality(
        n_petitions=len(truth),
        accuracy=float(np.mean(found == truth)),
        macro_f1=float(f1_score(truth, found, labels=labels, average="macro", zero_division=0)),
        auroc=find_auroc(probabilities, truth),
        log_loss=find_log_loss(logits, truth),
        calibration_error=find_calibration_error(probabilities, truth),
    )


def find_auroc(probabilities: Logits, truth: Truth) -> float | None:
    """Mean AUROC of the labels that some petitions have and others have not; None where there is none."""
    columns = range(1, 2) if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    areas = [
        roc_auc_score(truth == label, probabilities[:, label])
        for label in columns
        if 0 < np.sum(truth == label) < len(truth)
    ]
    return float(np.mean(areas)) if areas else None


def find_log_loss(logits: Logits, truth: Truth) -> float:
    """Mean cross-entropy of what was trained on, in nats."""
    known = truth >= 0
    return float(-np.mean(log_softmax(logits[known], axis=1)[np.arange(known.sum()), truth[known]]))


def find_calibration_error(probabilities: Logits, truth: Truth) -> float:
    """How far the probability of the likeliest label is from how often it is right, over bins of that probability."""
    surest = probabilities.max(axis=1)  # [N]
    is_right = probabilities.argmax(axis=1) == truth  # [N]
    bins = np.minimum((surest * N_BINS).astype(int), N_BINS - 1)  # [N]
    gaps = [abs(np.sum(is_right[bins == one]) - np.sum(surest[bins == one])) for one in np.unique(bins)]
    return float(np.sum(gaps) / len(truth))


def fit_temperature(logits: Logits, truth: Truth) -> float:
    """What logits are to be divided by so that their probabilities are likeliest."""
    found = minimize_scalar(
        lambda log: find_log_loss(logits / np.exp(log), truth), bounds=(-WIDEST, WIDEST), method="bounded"
    )
    return float(np.exp(found.x))


def find_refined_loss(logits: Logits, truth: Truth) -> float:
    """The log loss at the best temperature: what speaks for one model against another before it is calibrated."""
    return find_log_loss(logits / fit_temperature(logits, truth), truth)


def count_confusion(logits: Logits, truth: Truth) -> npt.NDArray[np.int64]:
    """[L, L]: how many petitions of a label (row) were given each label (column); unknown labels are left out."""
    n_labels, known = logits.shape[1], truth >= 0
    cells = truth[known] * n_labels + logits.argmax(axis=1)[known]
    return np.bincount(cells, minlength=n_labels**2).reshape(n_labels, n_labels)


def fit_logistic(
    train: tuple[object, Truth], stop: tuple[object, Truth], strengths: tuple[float, ...]
) -> tuple[LogisticRegression, float]:
    """Fit regressions of several strengths; gives the one that is best on the later month, and its strength."""
    fitted = {strength: LogisticRegression(C=strength, max_iter=1000).fit(*train) for strength in strengths}
    best = min(fitted, key=lambda strength: find_refined_loss(decide(fitted[strength], stop[0]), stop[1]))
    return fitted[best], best


def decide(model: LogisticRegression, inputs: object) -> Logits:
    """Logits [N, L] of a regression, of two labels too."""
    found = np.asarray(model.decision_function(inputs))
    return np.stack([np.zeros_like(found), found], axis=1) if found.ndim == 1 else found
