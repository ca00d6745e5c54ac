"""Shares of topics in petitions come in; shares of topics in a whole fit, counted in three ways, go out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of K topics in a fit; each sums to 1. They differ in what weighs the same."""

    share: NDArray[np.float64]  # [K], every petition
    balanced_share: NDArray[np.float64]  # [K], every category, so that one loud category does not hide the rest
    agreement_share: NDArray[np.float64]  # [K], every agreement


def measure_shares(
    document_topic: NDArray[np.floating], categories: Sequence[str], n_agreements: Sequence[int]
) -> Shares:
    """Weigh the petitions of a fit in three ways.

    Args:
        document_topic: [N, K], rows sum to 1.
        categories: [N], as the site names them; petitions without one (empty) are a category together.
        n_agreements: [N]; where all are 0 every petition weighs the same.

    Returns:
        Three shares [K]; of no petitions (N = 0) all are 0.
    """
    n_petitions = len(document_topic)
    if n_petitions == 0:
        nothing = np.zeros(document_topic.shape[1])
        return Shares(share=nothing, balanced_share=nothing, agreement_share=nothing)
    _, category_of, sizes = np.unique(np.asarray(categories), return_inverse=True, return_counts=True)
    alike = np.full(n_petitions, 1 / n_petitions)  # [N]
    agreements = np.asarray(n_agreements, np.float64)  # [N]
    shares = document_topic.astype(np.float64)  # [N, K]
    return Shares(
        share=alike @ shares,
        balanced_share=(1 / sizes[category_of] / len(sizes)) @ shares,
        agreement_share=(agreements / agreements.sum() if agreements.any() else alike) @ shares,
    )
