"""How a session with the results database begins: its name, its settings, and how soon the loss of an end is noticed.

A machine that is lost (power, network) sends no last word. By the defaults of Linux the server finds out after two
hours, and keeps the locks of the session until then: those of steps, and the connections to a site. Over a Unix socket
all this means nothing, and is ignored by Postgres and libpq.
"""

import os
import socket
from collections.abc import Mapping

GONE_AFTER_S = 60
_PROBE_AFTER_S, _PROBE_EVERY_S = 30, 10
# The server's end, which holds the locks. Airflow tries again after one, two and four minutes at least, and before that
# it takes five to miss the heartbeat of a task: so a lock that ends after 70 seconds is free for the second try.
# Also where the server still has something to send (user timeout), or is within a statement (check interval).
_SERVER_SETTINGS = {
    "tcp_keepalives_idle": f"{_PROBE_AFTER_S}",
    "tcp_keepalives_interval": f"{_PROBE_EVERY_S}",
    "tcp_keepalives_count": f"{(GONE_AFTER_S - _PROBE_AFTER_S) // _PROBE_EVERY_S}",
    "tcp_user_timeout": f"{GONE_AFTER_S}s",
    "client_connection_check_interval": f"{_PROBE_EVERY_S}s",
}
# Our end waits longer for what it has sent: a server that waits for a lock (two minutes at most) takes no rows in.
_OUR_USER_TIMEOUT_S = 180
# What changes the meaning of a statement or of its answer, or ends a session that only holds a lock: an operator may
# have set it for a role, a database or the server. Written as Postgres shows it.
_STEADY_SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
    "idle_session_timeout": "0",
}
_LONGEST_NAME = 63  # Postgres cuts it there


def describe_session(name: str, settings: Mapping[str, str], *, connect_timeout_s: int) -> dict[str, object]:
    """Give the arguments of psycopg's `connect`, all but the address.

    Args:
        name: what asks; host and process are put behind it, so that whoever waits for a lock is told who holds it.
        settings: of the session.
        connect_timeout_s: seconds to wait for the server.
    """
    return {
        "application_name": f"{name} {socket.gethostname()[: _LONGEST_NAME - len(name) - 9]} {os.getpid()}",
        "client_encoding": "utf8",  # whatever PGCLIENTENCODING says
        "connect_timeout": connect_timeout_s,
        "keepalives": 1,
        "keepalives_idle": _PROBE_AFTER_S,
        "keepalives_interval": _PROBE_EVERY_S,
        "keepalives_count": (GONE_AFTER_S - _PROBE_AFTER_S) // _PROBE_EVERY_S,
        "tcp_user_timeout": _OUR_USER_TIMEOUT_S * 1000,
        "options": write_options(name_settings(settings)),
    }


def name_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """All settings of a session: those that are the same for all of ours, and its own, which go before."""
    return {**_STEADY_SETTINGS, **settings}


def write_options(settings: Mapping[str, str]) -> str:
    """Write settings of a session, and those by which the server notices a lost client, as libpq takes them."""
    written = {key: value.replace("\\", r"\\").replace(" ", r"\ ") for key, value in settings.items()}
    return " ".join(f"-c {key}={value}" for key, value in {**_SERVER_SETTINGS, **written}.items())
