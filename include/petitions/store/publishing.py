"""Publishing: from one statement on, readers of a source see another fit, all views at once."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text, update

from petitions.errors import CheckFailedError, ConfigError
from petitions.store.check_results import read_checks
from petitions.store.checks import find_faults
from petitions.store.runs import read_made_by
from petitions.store.topic_reads import read_published, read_topic_model
from petitions.store.topic_tables import topic_model
from petitions.store.topics import TopicModel

logger = logging.getLogger(__name__)

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('petitions.publish'))")  # two at once: one after another


def publish(conn: Connection, model_id: str, encoders: Sequence[str], *, at: datetime) -> bool:
    """Make a fit the one that readers of its source see; an older fit is gone back to in the same way.

    The views look up the greatest `published_at` of a source, so that this one update is the whole switch.

    Args:
        conn: inside the caller's transaction, which is the moment of the switch.
        model_id: a fit that was written.
        encoders: whose vectors and scores readers see; the first one is searched.
        at: now.

    Returns:
        Whether anything changed: not when this fit is the published one already, with these encoders.

    Raises:
        ConfigError: there is no such fit, or no encoder is named.
    """
    if not encoders:
        raise ConfigError(f"publishing {model_id} needs the name of at least one encoder")
    conn.execute(_LOCK)
    model = read_topic_model(conn, model_id)
    current = read_published(conn, model.source)
    if current and current.model_id == model_id and current.encoders == tuple(encoders):
        return False
    if current and current.published_at and current.published_at >= at:  # a clock that was set back
        at = current.published_at + timedelta(microseconds=1)
    conn.execute(
        update(topic_model).where(topic_model.c.model_id == model_id).values(published_at=at, encoders=list(encoders))
    )
    logger.info("published %s of %s, before %s", model_id, model.source, current.model_id if current else "none")
    return True


def publish_checked(
    conn: Connection, model_id: str, steps: Sequence[str], *, at: datetime, is_by_hand: bool = True
) -> bool:
    """Publish a fit if it has passed its own checks, whatever another fit of its run has passed or failed.

    Args:
        conn: inside the caller's transaction, which is the moment of the switch.
        model_id: a fit that was written.
        steps: of its run; readers see the vectors and scores of the encoders that did them.
        at: now.
        is_by_hand: also in place of a fit whose window ends later. Else that one stays: a backfill of past nights, in
            any order, leaves readers the latest window.

    Returns:
        Whether anything changed.

    Raises:
        ConfigError: there is no such fit, or its run has not done a step.
        CheckFailedError: it has not been checked with these encoders, or a check failed.
    """
    conn.execute(_LOCK)
    model = read_topic_model(conn, model_id)
    encoders = _choose_encoders(conn, model, steps)
    current = read_published(conn, model.source)
    if not is_by_hand and current and current.window.until > model.window.until:
        logger.info("%s is not published: readers see the later window of %s", model_id, current.model_id)
        return False
    return publish(conn, model_id, encoders, at=at)


def _choose_encoders(conn: Connection, model: TopicModel, steps: Sequence[str]) -> Sequence[str]:
    """The encoders of its run that a fit has passed its checks with, or else those that it was shown with before.

    Weights that were changed and a run that was begun again since do not bar the way back to a fit that readers saw.
    """
    if not read_checks(conn, model.model_id):
        raise CheckFailedError(f"{model.model_id} is unchecked")
    faults: list[str] = []
    try:
        encoders = [read_made_by(conn, model.run_id, step) for step in steps]
        faults = find_faults(read_checks(conn, model.model_id, encoders), encoders)
        if not faults:
            return encoders
    except ConfigError:
        if not model.encoders:
            raise
    if model.encoders and not find_faults(read_checks(conn, model.model_id, model.encoders), model.encoders):
        return model.encoders
    raise CheckFailedError(f"{model.model_id} has not passed its checks: {'; '.join(faults)}")
