"""The step find_copies: which petitions of a window say the same, from their texts alone."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from petitions.records import PetitionText
from petitions.steps.step import Progress, Run, read_chunks
from petitions.store import copies
from petitions.store.copies import CopyPair, Fingerprint
from petitions.store.petitions import read_texts_of
from petitions.text.copies import Containment, find_candidates, group_pairs, measure_containment
from petitions.text.fingerprints import METHOD, Hashes, choose_fingerprints, hash_runs, hash_spelling

CHUNK = 1_000  # petitions, or pairs, whose texts are in memory at once
SAME = Containment(earlier_in_later=1.0, later_in_earlier=1.0)


def find_copies(run: Run) -> int:
    """Fingerprint the texts that are new, and find the pairs of copies of the window; returns how many pairs."""
    with run.step("find_copies") as progress:
        progress.made_by = METHOD
        read = partial(copies.read_without_fingerprints, method=METHOD, limit=CHUNK)
        for chunk in read_chunks(run, read, Progress()):
            with run.engine.begin() as conn:
                copies.upsert_fingerprints(conn, METHOD, chunk, [make_fingerprint(text) for text in chunk])
        with run.engine.connect() as conn, conn.begin():
            found = list(copies.read_fingerprints(conn, run.source, run.window, METHOD))
        pairs = find_pairs(found, partial(_read_texts, run))
        with run.engine.begin() as conn:
            copies.replace_pairs(conn, run.run_id, pairs)
        progress.rows_in, progress.rows_out = len(found), len(pairs)
    return len(pairs)


def make_fingerprint(text: PetitionText) -> Fingerprint:
    """Tell how a petition is spelled, title and all, and give the fingerprints of what stands below its title."""
    return Fingerprint(
        petition_id=text.petition_id,
        spelling=hash_spelling(text.whole),
        fingerprints=choose_fingerprints(_hash_compared(text)),
    )


def _hash_compared(text: PetitionText) -> Hashes:
    return hash_runs(text.below_title or text.title)


def find_pairs(found: Sequence[Fingerprint], read: Callable[[list[str]], list[PetitionText]]) -> list[CopyPair]:
    """The pairs of petitions of which one stands in the other, named by the groups that they make.

    Args:
        found: of a window, in the order in which its petitions began.
        read: gives the texts of some petitions; of those that were hidden meanwhile none.
    """
    measured = dict(_pair_same(found))
    candidates = find_candidates([item.fingerprints for item in found])
    for start in range(0, len(candidates), CHUNK):
        chunk = candidates[start : start + CHUNK]
        texts = read([found[place].petition_id for place in np.unique(chunk).tolist()])
        runs = {text.petition_id: _hash_compared(text) for text in texts}
        for earlier, later in chunk.tolist():
            ids = found[earlier].petition_id, found[later].petition_id
            if ids[0] in runs and ids[1] in runs:
                contained = measure_containment(runs[ids[0]], runs[ids[1]])
                if contained.is_copy:
                    measured[earlier, later] = contained
    leaders = group_pairs(measured)
    return [
        CopyPair(
            group_id=found[leaders[earlier]].petition_id,
            earlier_id=found[earlier].petition_id,
            later_id=found[later].petition_id,
            earlier_in_later=item.earlier_in_later,
            later_in_earlier=item.later_in_earlier,
        )
        for (earlier, later), item in sorted(measured.items())
    ]


def _read_texts(run: Run, petition_ids: list[str]) -> list[PetitionText]:
    with run.engine.connect() as conn:
        return read_texts_of(conn, petition_ids)


def _pair_same(found: Sequence[Fingerprint]) -> Iterator[tuple[tuple[int, int], Containment]]:
    """Each text that was posted before, however short, and the first one of its spelling."""
    first: dict[str, int] = {}
    for place, item in enumerate(found):
        leader = first.setdefault(item.spelling, place)
        if leader != place:
            yield (leader, place), SAME
