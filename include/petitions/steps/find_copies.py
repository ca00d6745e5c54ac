"""The step find_copies: which petitions of a window say the same, from their texts alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from petitions.records import PetitionText
from petitions.steps.step import Progress, Run, read_chunks
from petitions.store import copies
from petitions.store.copies import Comparison, CopyPair, Fingerprint
from petitions.store.petitions import read_texts_of
from petitions.text.copies import Containment, find_candidates, group_pairs, measure_containment
from petitions.text.fingerprints import METHOD, Hashes, choose_fingerprints, hash_runs, hash_spelling

CHUNK = 1_000  # petitions, or pairs, whose texts are in memory at once
SAME = Containment(earlier_in_later=1.0, later_in_earlier=1.0)

Known = Mapping[tuple[str, str], Containment]  # by the ids of two petitions, the earlier first
Compare = Callable[[list[tuple[str, str]]], Known]


def find_copies(run: Run) -> int:
    """Fingerprint the texts that are new, and find the pairs of copies of the window; returns how many pairs.

    A run that has found those of the same texts before does nothing, and no two texts are compared twice.
    """
    with run.step("find_copies") as progress:
        progress.made_by = METHOD
        with run.engine.connect() as conn:
            texts = copies.name_texts(conn, run.source, run.window, METHOD)
            n_found = copies.count_found(conn, run.run_id, texts)
        if n_found is not None:
            progress.rows_out = n_found
            return n_found
        _write_fingerprints(run)
        with run.engine.connect() as conn, conn.begin():
            found = list(copies.read_fingerprints(conn, run.source, run.window, METHOD))
            kept = copies.read_comparisons(conn, run.source, run.window, METHOD)
        known = {(item.earlier_id, item.later_id): _get_containment(item) for item in kept}
        pairs = find_pairs(found, partial(_compare, run), known)
        with run.engine.begin() as conn:
            copies.replace_pairs(conn, run.run_id, pairs, texts)
        progress.rows_in, progress.rows_out = len(found), len(pairs)
    return len(pairs)


def _write_fingerprints(run: Run) -> None:
    read = partial(copies.read_without_fingerprints, method=METHOD, limit=CHUNK)
    for chunk in read_chunks(run, read, Progress()):
        with run.engine.begin() as conn:
            copies.upsert_fingerprints(conn, METHOD, chunk, [make_fingerprint(text) for text in chunk])


def make_fingerprint(text: PetitionText) -> Fingerprint:
    """Tell how a petition is spelled, title and all, and give the fingerprints of what stands below its title."""
    return Fingerprint(
        petition_id=text.petition_id,
        spelling=hash_spelling(text.whole),
        fingerprints=choose_fingerprints(_hash_compared(text)),
    )


def _hash_compared(text: PetitionText) -> Hashes:
    return hash_runs(text.below_title or text.title)


def find_pairs(found: Sequence[Fingerprint], compare: Compare, known: Known) -> list[CopyPair]:
    """The pairs of petitions of which one stands in the other, named by the groups that they make.

    Args:
        found: of a window, in the order in which its petitions began.
        compare: measures at most `CHUNK` pairs; those with a petition that was hidden meanwhile are left out.
        known: what was measured before, of texts that are as they were.
    """
    measured = dict(_pair_same(found))
    candidates = find_candidates([item.fingerprints for item in found]).tolist()
    ids = [(found[earlier].petition_id, found[later].petition_id) for earlier, later in candidates]
    unknown = [pair for pair in ids if pair not in known]
    contained = dict(known)
    for start in range(0, len(unknown), CHUNK):
        contained |= compare(unknown[start : start + CHUNK])
    for (earlier, later), pair in zip(candidates, ids, strict=True):
        if pair in contained and contained[pair].is_copy:
            measured[earlier, later] = contained[pair]
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


def compare_texts(pairs: Sequence[tuple[str, str]], texts: Sequence[PetitionText]) -> list[Comparison]:
    """Measure the pairs both of whose texts are there."""
    by_id = {text.petition_id: text for text in texts}
    runs = {text.petition_id: np.unique(_hash_compared(text)) for text in texts}
    compared = []
    for earlier, later in pairs:
        if earlier not in by_id or later not in by_id:
            continue
        contained = measure_containment(runs[earlier], runs[later])
        compared.append(
            Comparison(
                earlier_id=earlier,
                later_id=later,
                earlier_hash=by_id[earlier].content_hash,
                later_hash=by_id[later].content_hash,
                earlier_in_later=contained.earlier_in_later,
                later_in_earlier=contained.later_in_earlier,
            )
        )
    return compared


def _compare(run: Run, pairs: list[tuple[str, str]]) -> Known:
    """Measure pairs, and keep what was measured: a killed step goes on from there."""
    with run.engine.begin() as conn:
        compared = compare_texts(pairs, read_texts_of(conn, sorted({one for pair in pairs for one in pair})))
        copies.upsert_comparisons(conn, METHOD, compared)
    return {(item.earlier_id, item.later_id): _get_containment(item) for item in compared}


def _get_containment(item: Comparison) -> Containment:
    return Containment(earlier_in_later=item.earlier_in_later, later_in_earlier=item.later_in_earlier)


def _pair_same(found: Sequence[Fingerprint]) -> Iterator[tuple[tuple[int, int], Containment]]:
    """Each text that was posted before, however short, and the first one of its spelling."""
    first: dict[str, int] = {}
    for place, item in enumerate(found):
        leader = first.setdefault(item.spelling, place)
        if leader != place:
            yield (leader, place), SAME
