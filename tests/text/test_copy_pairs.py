"""Precision and recall on pairs of real petitions that were judged by reading; ids and labels alone are kept here."""

import json
from pathlib import Path

import pytest

from petitions.text.copies import find_candidates, measure_containment
from petitions.text.fingerprints import choose_fingerprints, hash_runs
from petitions.text.normalize import normalize_text

DATA = Path(__file__).parents[3] / "shared/data"
FILES = {"bluehouse": "bluehouse/2019-0*.jsonl", "assembly": "assembly/*.jsonl"}
JUDGED = [
    line.split("\t")
    for line in Path(__file__).with_name("copy_pairs.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the petitions are not there: {DATA}"),
]


def find_copies(source: str) -> set[tuple[str, str]]:
    """The pairs of copies among all petitions of a source, as the step finds them."""
    rows = [
        json.loads(line)
        for path in sorted(DATA.glob(FILES[source]))
        for line in path.read_text(encoding="utf-8").split("\n")
        if line
    ]
    rows.sort(key=lambda row: (row["begin"], row["id"]))
    runs = [hash_runs(normalize_text(row["content"] or row["title"]).text) for row in rows]
    pairs = find_candidates([choose_fingerprints(item) for item in runs]).tolist()
    return {
        (rows[one]["id"], rows[other]["id"])
        for one, other in pairs
        if measure_containment(runs[one], runs[other]).is_copy
    }


def test_copies_are_found_as_a_reader_finds_them():
    found = {source: find_copies(source) for source in FILES}
    told = [((one, other) in found[source], label == "1") for source, one, other, label in JUDGED]
    n_right = sum(is_found and is_copy for is_found, is_copy in told)
    precision = n_right / sum(is_found for is_found, _ in told)
    recall = n_right / sum(is_copy for _, is_copy in told)
    print(f"{len(told)} pairs: precision {precision:.3f}, recall {recall:.3f}")
    assert precision >= 0.9
    assert recall >= 0.8
