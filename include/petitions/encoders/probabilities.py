"""Logits of labels in, probabilities out."""

import numpy as np
import numpy.typing as npt


def to_probabilities(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """The probability of each label: logits [N, L] to float32 [N, L], rows of sum 1."""
    odds = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
