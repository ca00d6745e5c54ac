"""The errors of the package, in one tree.

PetitionsError
  TransientError        may heal by itself: Airflow retries
    FetchError          the site did not answer, or answered with a fault
    DatabaseDownError   the results database cannot be reached
  PermanentError        will not heal by trying again: Airflow fails the task at once
    ConfigError         a setting, an argument or a date that cannot be
    ParseError          an answer that is not what the site used to say
    SiteChangedError    a crawl's answers, or their number, are not what they used to be
    SchemaError         the database schema is not the one this code knows
    EmptyWindowError    no petition in the window
    WeightsError        a checkpoint that lacks what is asked of it
    CheckFailedError    a check before publishing did not pass
"""

from petitions.addresses import hide_logins


class PetitionsError(Exception):
    """Base of all errors that the package raises on purpose; the message is for the operator, and holds no password."""

    def __init__(self, message: str = "") -> None:
        super().__init__(hide_logins(message))


class TransientError(PetitionsError):
    """May heal by itself; try again later."""


class FetchError(TransientError):
    """A site did not give an answer within the stated number of tries."""


class DatabaseDownError(TransientError):
    """The results database cannot be reached."""


class PermanentError(PetitionsError):
    """Trying again without a change would fail again."""


class ConfigError(PermanentError):
    """A setting, an argument or a date that cannot be."""


class ParseError(PermanentError):
    """One answer that is not what the site used to say."""


class SiteChangedError(PermanentError):
    """Too many answers of a crawl could not be parsed, or it brought far fewer or more petitions than usual."""


class SchemaError(PermanentError):
    """The database schema is missing, older or newer than this code."""


class EmptyWindowError(PermanentError):
    """No petition, or too few of them, in the window."""


class WeightsError(PermanentError):
    """A checkpoint that lacks a weight, a head or a file."""


class CheckFailedError(PermanentError):
    """A check before publishing did not pass."""
