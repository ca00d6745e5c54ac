"""What the step find_copies leaves, written in the transaction of a test."""

from sqlalchemy import Connection

from invented import MONDAY, RUN, WINDOW
from petitions.records import Source
from petitions.steps.find_copies import compare_texts, find_pairs, make_fingerprint
from petitions.store.copies import read_fingerprints, replace_pairs, upsert_fingerprints
from petitions.store.petitions import read_texts, read_texts_of
from petitions.store.runs import StepResult, record_step
from petitions.text.copies import Containment
from petitions.text.fingerprints import METHOD

SAMPLE = Source("sample")


def write_copies(conn: Connection) -> None:
    """Fingerprints and pairs of the petitions of the window."""
    texts = read_texts(conn, SAMPLE, WINDOW)
    upsert_fingerprints(conn, METHOD, texts, [make_fingerprint(text) for text in texts])
    found = list(read_fingerprints(conn, SAMPLE, WINDOW, METHOD))

    def compare(pairs: list[tuple[str, str]]) -> dict[tuple[str, str], Containment]:
        return {
            (item.earlier_id, item.later_id): Containment(
                earlier_in_later=item.earlier_in_later, later_in_earlier=item.later_in_earlier
            )
            for item in compare_texts(pairs, read_texts_of(conn, [one for pair in pairs for one in pair]))
        }

    replace_pairs(conn, RUN, find_pairs(found, compare, {}))
    done = StepResult(rows_in=len(found), rows_out=0, seconds=1, made_by=METHOD)
    record_step(conn, RUN, "find_copies", done, at=MONDAY)
