"""The step publish: from one statement on, readers see another fit."""

from collections.abc import Sequence

from petitions.steps.step import Run
from petitions.store import publishing, topic_reads


def publish(run: Run, model_id: str, steps: Sequence[str], *, is_by_hand: bool) -> bool:
    """Switch the readers of the source to a fit, in one transaction; see `publish_checked`.

    Returns:
        Whether readers see it; not where they keep a later window.
    """
    with run.step("publish") as progress:
        with run.engine.begin() as conn:
            changed = publishing.publish_checked(conn, model_id, steps, at=run.clock(), is_by_hand=is_by_hand)
            current = topic_reads.read_published(conn, run.source)
        is_shown = current is not None and current.model_id == model_id
        progress.rows_in, progress.rows_out, progress.is_skipped = 1, int(changed), not is_shown
    return is_shown
