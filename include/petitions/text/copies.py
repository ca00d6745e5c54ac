"""The fingerprints of petitions come in, in the order in which they were posted; the pairs and groups of copies go out.

All is linear in petitions: a fingerprint that many have is met with the first few and the few before alone, so that a
campaign of a thousand makes thousands of pairs, not half a million, and still hangs together. What two texts have in
common beyond what was met is counted where it decides. Those that have nothing in common but formulas, each of which
many others have, are met by MinHash over these (Broder 1997, doi 10.1109/SEQUEN.1997.666900).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from petitions.text.fingerprints import Hashes

NEIGHBOURS = 4  # of each fingerprint: its first holders, and as many before each one
FREQUENT = 2 * NEIGHBOURS + 2  # holders, from which on not all of them are met with each other
BANDS = 8  # keys of two MinHashes: texts that share seven tenths of their formulas have one in common in 99.5 of 100
# Share of the fewer fingerprints of two texts that must be common before the texts themselves are compared.
LEAST_COMMON = 0.2
LEAST_CONTAINED = 0.4  # share of the runs of one text that the other must hold to be its copy; see docs/search.md

Pairs = NDArray[np.int64]
Places = NDArray[np.int64]


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
    n = len(fingerprints)
    sizes = np.array([len(item) for item in fingerprints], np.int64)
    if not sizes.sum():
        return np.empty((0, 2), np.int64)
    hashes, holders = _keep_shared(np.concatenate(list(fingerprints)), np.repeat(np.arange(n), sizes))
    first, n_holders = _find_groups(hashes)
    keys, n_common = np.unique(_meet(holders, first, n), return_counts=True)
    is_frequent = n_holders >= FREQUENT
    n_frequent = np.bincount(holders[is_frequent], minlength=n)
    is_formulaic = is_frequent & (n_frequent >= LEAST_COMMON * sizes)[holders]
    others = np.setdiff1d(_meet_alike(hashes[is_formulaic], holders[is_formulaic], n), keys)
    keys = np.concatenate([keys, others])
    n_common = np.concatenate([n_common, np.zeros(len(others), np.int64)])
    earlier, later = np.divmod(keys, n)
    least = LEAST_COMMON * np.minimum(sizes[earlier], sizes[later])
    most = n_common + np.minimum(n_frequent[earlier], n_frequent[later])
    for place in np.flatnonzero((n_common < least) & (most >= least)):
        both = np.intersect1d(fingerprints[earlier[place]], fingerprints[later[place]], assume_unique=True)
        n_common[place] = len(both)
    earlier, later = np.divmod(np.sort(keys[n_common >= least]), n)
    return np.stack([earlier, later], axis=1)


def _keep_shared(hashes: Hashes, holders: Places) -> tuple[Hashes, Places]:
    """The fingerprints that more than one text has, and which; equal ones together, the earlier holder first."""
    order = np.argsort(hashes)
    is_same = np.diff(hashes[order]) == 0
    order = order[np.r_[False, is_same] | np.r_[is_same, False]]
    order = order[np.lexsort((holders[order], hashes[order]))]
    return hashes[order], holders[order]


def _find_groups(hashes: Hashes) -> tuple[Places, Places]:
    """Where the group of each of these sorted hashes begins, int64 [H], and how many it has, int64 [H]."""
    starts = np.flatnonzero(np.r_[len(hashes) > 0, hashes[1:] != hashes[:-1]])
    sizes = np.diff(np.r_[starts, len(hashes)])
    return np.repeat(starts, sizes), np.repeat(sizes, sizes)


def _meet(holders: Places, first: Places, n: int, reach: int = NEIGHBOURS) -> NDArray[np.int64]:
    """A key, earlier * n + later, for each time that two of a group meet; `first` is where the group of each begins."""
    places = np.arange(len(holders))
    keys = [np.empty(0, np.int64)]
    for step in range(reach):
        is_behind = places - first > step  # it has a holder that many places after the first one
        keys.append(holders[(first + step)[is_behind]] * n + holders[is_behind])
        # The ones just before; those among the first few were met already.
        is_far = places - 1 - step - first >= reach
        keys.append(holders[(places - 1 - step)[is_far]] * n + holders[is_far])
    return np.concatenate(keys)


def _meet_alike(hashes: Hashes, holders: Places, n: int) -> NDArray[np.int64]:
    """Keys of texts whose formulas are much the same ones, though others with some of them stand between."""
    order = np.argsort(holders, kind="stable")
    starts, _ = _find_groups(holders[order])
    starts = np.unique(starts)
    members, mixed = holders[order][starts], hashes[order].view(np.uint64)
    keys = [np.empty(0, np.int64)]
    for band in range(BANDS):
        key = np.zeros(len(starts), np.uint64)
        for row in (2 * band + 1, 2 * band + 2):
            drawn = np.random.default_rng(row).integers(1, 2**63, 2, np.uint64) | np.uint64(1)
            shuffled = (mixed ^ drawn[0]) * drawn[1]
            shuffled ^= shuffled >> np.uint64(32)
            key = key * drawn[1] + (np.minimum.reduceat(shuffled, starts) if len(starts) else key)
        signed = key.view(np.int64)
        by_key = np.lexsort((members, signed))
        first, _ = _find_groups(signed[by_key])
        keys.append(_meet(members[by_key], first, n, reach=1))
    return np.unique(np.concatenate(keys))


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
