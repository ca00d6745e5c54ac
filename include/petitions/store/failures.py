"""What the driver raises, told in the words of `petitions.errors`: one line, with no password and no text of a row."""

import psycopg

from petitions.errors import DatabaseDownError, PermanentError, PetitionsError


def translate_failure(error: psycopg.Error) -> PetitionsError:
    """Turn an error of psycopg into one of ours.

    The detail that Postgres adds may quote a whole row, title and body; only the primary message is taken.
    """
    message = " ".join((error.diag.message_primary or str(error)).split())
    if isinstance(error, psycopg.OperationalError):
        return DatabaseDownError(f"the results database failed: {message}")
    return PermanentError(f"the results database refused: {message}")
