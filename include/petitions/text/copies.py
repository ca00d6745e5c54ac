"""The fingerprints of petitions come in, in the order in which they were posted; the pairs and groups of copies go out.

All is linear in petitions: a fingerprint that many have is met with the first few and the few before alone, so that a
campaign of a thousand makes thousands of pairs, not half a million, and still hangs together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from petitions.text.fingerprints import Hashes

NEIGHBOURS = 4  # of each fingerprint: its first holders, and as many before each one
# Share of the fewer fingerprints of two texts that must be common before the texts themselves are compared.
LEAST_COMMON = 0.2
LEAST_CONTAINED = 0.4  # share of the runs of one text that the other must hold to be its copy; see docs/search.md

Pairs = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Containment:
    """Of the runs of either of two texts the share that the other has too, 0 to 1."""

    earlier_in_later: float
    later_in_earlier: float

    @property
    def is_copy(self) -> bool:
        """One of them stands in the other, by `LEAST_CONTAINED` or more."""
        return max(self.earlier_in_later, self.later_in_earlier) >= LEAST_CONTAINED


def measure_containment(earlier: Hashes, later: Hashes) -> Containment:
    """Compare the runs of two texts; one without any is contained in none."""
    one, other = np.unique(earlier), np.unique(later)
    n_both = len(np.intersect1d(one, other, assume_unique=True))
    return Containment(
        earlier_in_later=n_both / max(len(one), 1),
        later_in_earlier=n_both / max(len(other), 1),
    )


def find_candidates(fingerprints: Sequence[Hashes]) -> Pairs:
    """The pairs of places that may be copies, int64 [P, 2], the earlier first, in their order.

    Args:
        fingerprints: of each text, sorted and without repeats; the texts in the order in which they were posted.
    """
    sizes = np.array([len(item) for item in fingerprints], np.int64)
    if not sizes.sum():
        return np.empty((0, 2), np.int64)
    holders = np.repeat(np.arange(len(fingerprints), dtype=np.int32), sizes)
    hashes = np.concatenate(list(fingerprints))
    order = np.argsort(hashes, kind="stable")  # of equal hashes the earlier holder first
    hashes, holders = hashes[order], holders[order]
    starts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
    first = np.repeat(starts, np.diff(np.r_[starts, len(hashes)]))  # [H], where the hash of each holder begins
    places = np.arange(len(hashes))
    n = len(fingerprints)
    # A key for each fingerprint that two texts have in common: earlier * n + later.
    keys: list[NDArray[np.int64]] = []
    for step in range(NEIGHBOURS):
        is_behind = places - first > step  # it has a holder that many places after the first one
        keys.append(holders[(first + step)[is_behind]].astype(np.int64) * n + holders[places[is_behind]])
        # The ones just before; those among the first few were met already.
        is_far = places - 1 - step - first >= NEIGHBOURS
        keys.append(holders[(places - 1 - step)[is_far]].astype(np.int64) * n + holders[places[is_far]])
    pairs, n_common = np.unique(np.concatenate(keys), return_counts=True)
    earlier, later = np.divmod(pairs, n)
    is_near = n_common >= LEAST_COMMON * np.minimum(sizes[earlier], sizes[later])
    return np.stack([earlier[is_near], later[is_near]], axis=1)


def group_pairs(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The first member of the group that each place hangs together with by pairs; those of no pair are left out."""
    leader: dict[int, int] = {}

    def find(place: int) -> int:
        while leader.setdefault(place, place) != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    for pair in pairs:
        one, other = sorted(map(find, pair))
        leader[other] = one
    return {place: find(place) for place in sorted(leader)}
