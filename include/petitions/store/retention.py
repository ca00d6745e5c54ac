"""Dropping old fits: which ones may go, and their rows, so that readers see the same before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, text, update

from petitions.errors import TransientError
from petitions.store.copy_tables import copy_search, petition_copy
from petitions.store.run_tables import check_result
from petitions.store.tables import petition_score
from petitions.store.topic_tables import petition_topic, topic, topic_event, topic_model, topic_term

# Never dropped, however old: what readers see; the published fit that gave a source's highest topic_id, since the next
# fit would give that id to another topic (topic_reads.read_highest_id); and the fit of a run that is not done yet.
_OLD = text("""
WITH placed AS (
    SELECT *, row_number() OVER (
        PARTITION BY source ORDER BY coalesce(published_at, fitted_at) DESC, model_id DESC
    ) AS place
    FROM petitions.topic_model
), highest AS (
    SELECT DISTINCT ON (m.source) m.model_id
    FROM petitions.topic_model AS m JOIN petitions.topic AS t USING (model_id)
    WHERE m.published_at IS NOT NULL
    ORDER BY m.source, t.topic_id DESC, m.published_at DESC, m.model_id
)
SELECT model_id, source, n_petitions, fitted_at, published_at, artifact FROM placed AS p
WHERE place > :keep
    AND model_id NOT IN (SELECT model_id FROM petitions.published_model)
    AND model_id NOT IN (SELECT model_id FROM highest)
    AND NOT EXISTS (
        SELECT FROM petitions.recent_run AS r WHERE r.model_id = p.model_id AND r.state = 'running'
    )
ORDER BY source, place DESC
""")
# The lock that pipeline.Pipeline holds over each step; a fit has its artifacts there before its rows.
_STEPS = text("""
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND classid = hashtext('petitions.step')::oid AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OldFit:
    """A fit that may go; `artifact` is its folder in the artifact store."""

    model_id: str
    source: str
    n_petitions: int
    fitted_at: datetime
    published_at: datetime | None
    artifact: str


def list_old_fits(conn: Connection, keep: int) -> list[OldFit]:
    """List the fits beyond the last `keep` of each source that nobody needs, by source, the oldest first."""
    return [OldFit(**row) for row in conn.execute(_OLD, {"keep": keep}).mappings()]


def drop_fit(conn: Connection, model_id: str, keep: int) -> bool:
    """Drop a fit with its topics, terms, shares, scores, events and checks, in the caller's transaction.

    The pairs of copies of its run go with the run's last fit.

    What became of its topics in later fits stays told: their events keep `from_topic_id`, which is a lasting id, and
    lose `from_model_id` alone.

    Args:
        conn: inside the caller's transaction, in which no fit can be published.
        model_id: of `list_old_fits`.
        keep: as there; the fit may have been published in the meantime.

    Returns:
        Whether it was dropped; not where it is needed by now, or is gone.

    Raises:
        TransientError: a step of the pipeline is at work.
    """
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('petitions.publish'))"))
    refuse_at_work(conn)
    if model_id not in {fit.model_id for fit in list_old_fits(conn, keep)}:
        return False
    run_id = conn.execute(select(topic_model.c.run_id).where(topic_model.c.model_id == model_id)).scalar_one()
    conn.execute(update(topic_event).where(topic_event.c.from_model_id == model_id).values(from_model_id=None))
    for table in (check_result, topic_event, petition_topic, topic_term, petition_score, topic, topic_model):
        conn.execute(delete(table).where(table.c.model_id == model_id))
    has_fit = select(topic_model.c.run_id).where(topic_model.c.run_id == run_id)
    for table in (petition_copy, copy_search):
        conn.execute(delete(table).where(table.c.run_id == run_id, ~has_fit.exists()))
    return True


def refuse_at_work(conn: Connection) -> None:
    """Refuse to go on while a step of the pipeline is at work in this database.

    Raises:
        TransientError: one is.
    """
    if n_steps := conn.scalar(_STEPS):
        raise TransientError(f"{n_steps} steps of the pipeline are at work: prune when they are done")


def read_artifacts(conn: Connection, without: Sequence[str] = ()) -> set[str]:
    """Read the folders that the fits name, those of the model_ids `without` apart; empty where there is no fit."""
    return set(conn.scalars(select(topic_model.c.artifact).where(topic_model.c.model_id.not_in(without))))
