"""A new fit beside the published one comes in; what is wrong with putting it in its place goes out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Over 90 nights of real fits (bench/topic_nights.py) NPMI fell by at most 0.03 from one night to the next.
MOST_NPMI_LOST = 0.05
MOST_DIVERSITY_LOST = 0.1
LEAST_COMMON = 0.75  # of the petitions of each fit must be in the other: the limits are those from night to night
MOST_LONGER = 0.1  # three months are 89 to 92 days
MOST_CHANGED = 0.35  # of the petitions of both windows may be in another topic than before


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good the topics of a fit are; the ranges are those of the measures in coherence.py."""

    npmi: float
    diversity: float


def is_measure(common: float, kept: float, days: int, published_days: int) -> bool:
    """Whether a fit is to be measured by the published one: both are of nearly the same petitions.

    NPMI and diversity depend on how many texts there are, so that a month is no worse for being below three of them.

    Args:
        common: the share of the petitions of the fit that the published one knows.
        kept: the share of the petitions of the published fit that are in the new one.
        days: of the window of the fit.
        published_days: of that of the published fit.
    """
    return min(common, kept) >= LEAST_COMMON and abs(days / published_days - 1) <= MOST_LONGER


def measure_changed(new_ids: NDArray[np.int64], old_ids: NDArray[np.int64]) -> float | None:
    """The share of petitions whose main topic is not the one of the published fit; None where there are none.

    Args:
        new_ids: [N], topic_id of the main topic of the petitions of both fits.
        old_ids: [N], the same by the published fit.
    """
    return float(np.mean(new_ids != old_ids)) if len(new_ids) else None


def find_faults(new: Quality, old: Quality, changed: float) -> list[str]:
    """Name what keeps a fit from being published, each with its value and its limit; nothing: it may be.

    Args:
        new: of the fit.
        old: of the published fit.
        changed: as `measure_changed` gives it.
    """
    least_npmi, least_diversity = old.npmi - MOST_NPMI_LOST, old.diversity - MOST_DIVERSITY_LOST
    faults = []
    if new.npmi < least_npmi:
        faults.append(f"NPMI is {new.npmi:.3f}, must be at least {least_npmi:.3f}")
    if new.diversity < least_diversity:
        faults.append(f"diversity is {new.diversity:.2f}, must be at least {least_diversity:.2f}")
    if changed > MOST_CHANGED:
        faults.append(f"{changed:.0%} of the petitions changed their topic, at most {MOST_CHANGED:.0%} may")
    return faults
