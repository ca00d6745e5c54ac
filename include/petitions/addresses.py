"""Addresses and the credentials in them: taken out before an address is stored or shown, and kept for whoever asks.

`http://user:password@host` names a person as well as a place. What is stored, archived, logged or shown is the place;
`petitions.errors` passes every message of ours through `hide_logins`.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

HIDDEN = "..."
_LOGIN_IN_WORD = re.compile(r"(?<=://)\S*@")  # up to the last @: a password may hold "/" or "@", against the rules
_LOGIN_OF_HOST = re.compile(r"(?<=://)[^\s/?#]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who asks; not shown, whoever prints it."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def for_requests(self) -> tuple[str, str]:
        """As `requests` is given them: it writes Latin-1, and what is meant is UTF-8."""
        return self.user.encode().decode("latin-1"), self.password.encode().decode("latin-1")


def split_login(address: str) -> tuple[str, Login | None]:
    """Take an address apart: the place, and who asks there (None where it does not say).

    Raises:
        ValueError: the host cannot be told, such as "http://[::1".
    """
    parts = urlsplit(address)
    told, is_told, host = parts.netloc.rpartition("@")
    if not is_told:
        return address, None
    user, _, password = told.partition(":")
    return parts._replace(netloc=host).geturl(), Login(user=unquote(user), password=unquote(password))


def drop_login(address: str) -> str:
    """The place alone, of an address that need not be right."""
    return _LOGIN_OF_HOST.sub("", address)


def hide_login(address: str) -> str:
    """An address as a message may quote it, however wrong it is: nothing that stands before its last @."""
    place, is_told, host = address.rpartition("@")
    scheme = place.partition("://")[0] + "://" if "://" in place else ""
    return f"{scheme}{HIDDEN}@{host}" if is_told else address


def hide_logins(text: str) -> str:
    """A text without the credentials of the addresses in it."""
    return _LOGIN_IN_WORD.sub(f"{HIDDEN}@", text)
