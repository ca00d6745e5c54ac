"""The address of the results database: in, PETITIONS_DATABASE_URL; out, what SQLAlchemy and psycopg are given.

SQLAlchemy reads whatever it can: a piece of a password that holds "@" or "/" becomes the name of a host, and then is
in the error of whoever looks for it. So an address of which a piece may be that is refused, and not quoted.
"""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from petitions.errors import ConfigError

PREPARE_THRESHOLD = "prepare_threshold"  # psycopg takes it as an argument alone, and neither libpq nor psql knows it
_USUAL_THRESHOLD = 5
_REFUSED = (
    "PETITIONS_DATABASE_URL is no SQLAlchemy URL, such as postgresql://host:5432/name; in the user and the password"
    " before the host, signs such as @ and / are written %40 and %2F"
)


def read_url(database_url: str) -> URL:
    """Read the address, without what is for psycopg alone.

    Raises:
        ConfigError: no URL, or none of Postgres, or one of which it is doubtful where the password ends.
    """
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):  # the second one for a port that is no number
        raise ConfigError(_REFUSED) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(f"PETITIONS_DATABASE_URL must name Postgres, got {url.drivername}")
    query = database_url.partition("@")[2].partition("?")[2]
    if "@" in f"{url.host}{url.database}" or (query and not all("=" in item for item in query.split("&"))):
        raise ConfigError(_REFUSED)
    return url.difference_update_query([PREPARE_THRESHOLD])


def read_prepare_threshold(database_url: str) -> int | None:
    """How often a statement is run before the server keeps it: 5 unless the address says otherwise, None for never.

    Raises:
        ConfigError: it is neither a number nor "none".
    """
    told = make_url(database_url).query.get(PREPARE_THRESHOLD, str(_USUAL_THRESHOLD)) if database_url else "5"
    if isinstance(told, str) and told.lower() == "none":
        return None
    if isinstance(told, str) and told.isdecimal():
        return int(told)
    raise ConfigError(f"{PREPARE_THRESHOLD} in PETITIONS_DATABASE_URL must be a number or none, got {told!r}")
