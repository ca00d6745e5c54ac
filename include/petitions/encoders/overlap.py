"""What words say beside the network of whether a text follows its title: how much of the title stands in it too.

A checkpoint may hold the weights of both, fitted on petitions that no stage of the training read
(`petitions pretrain calibrate`); docs/scores.md has what each tells alone, and both together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_checkpoint import Checkpoint

RARITY = "cls.overlap.rarity"  # ours, as the next one: transformers leaves them out
WEIGHTS = "cls.overlap.weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How rare each of V pieces is, and what network, shared pieces and neither weigh."""

    rarity: npt.NDArray[np.float32]  # [V], the logarithm of documents by documents that hold it
    weights: npt.NDArray[np.float32]  # [3]

    def weigh(
        self, margins: npt.NDArray[np.float64], firsts: Sequence[Sequence[int]], seconds: Sequence[Sequence[int]]
    ) -> npt.NDArray[np.float64]:
        """The log odds of "follows", float64 [N], of those of the network, float64 [N], and of N pairs of piece ids."""
        shared = [measure_overlap(first, second, self.rarity) for first, second in zip(firsts, seconds, strict=True)]
        network, words, constant = self.weights.tolist()
        return network * margins + words * np.array(shared, np.float64) + constant


def read_overlap(checkpoint: Checkpoint) -> Overlap | None:
    """Read it from a checkpoint; None where it has none.

    Raises:
        WeightsError: it is of another vocabulary, or not finite.
    """
    if RARITY not in checkpoint.tensors:
        return None
    return Overlap(
        rarity=checkpoint.take(RARITY, (checkpoint.size.vocab_size,)), weights=checkpoint.take(WEIGHTS, (3,))
    )


def measure_overlap(first: Sequence[int], second: Sequence[int], rarity: npt.NDArray[np.floating]) -> float:
    """Which share of the rarity of the first text's pieces is of those that stand in the second; 0 for no text."""
    asked = np.unique(np.asarray(first, np.int64))  # [P]
    weights = rarity[asked]  # [P]
    total = float(weights.sum())
    return float(weights[np.isin(asked, np.asarray(second, np.int64))].sum()) / total if total > 0 else 0.0
