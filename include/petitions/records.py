"""The records that cross module borders: window, petition, reject, morpheme."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from petitions.errors import ConfigError

SEOUL = ZoneInfo("Asia/Seoul")  # days are Korean days
NAME_PATTERN = "[a-z][a-z0-9_]{0,31}"
_NAME = re.compile(NAME_PATTERN, re.ASCII)

# The surface, its tag by Mecab-ko, and whether it begins a word: a blank or nothing stands before it.
Morpheme = tuple[str, str, bool]


def korean_day(moment: datetime) -> date:
    """The day that it is in Korea at a moment."""
    return moment.astimezone(SEOUL).date()


class Source(str):
    """The name of a source of petitions, such as "assembly"; `sources.registry` has them all."""

    __slots__ = ()

    def __new__(cls, name: str) -> "Source":
        """Take a name.

        Raises:
            ConfigError: it could not stand before the colon of a petition_id, or in a path of the archive.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(f"a source must match {NAME_PATTERN}, got {name!r}")
        return super().__new__(cls, name)


class Status(StrEnum):
    """How far a petition has come; the same four words for every source."""

    OPEN = "open"
    ENDED = "ended"
    ANSWERED = "answered"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The half-open range of days [since, until); a petition belongs by the day it begins on."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise ConfigError(f"the window must begin before it ends, got {self.since} to {self.until}")

    def __contains__(self, day: date) -> bool:
        return self.since <= day < self.until

    @property
    def n_days(self) -> int:
        """How long it is."""
        return (self.until - self.since).days

    @classmethod
    def ending(cls, until: date, months: int = 3) -> "Window":
        """The window of `months` months before `until` (exclusive).

        Raises:
            ConfigError: `months` is outside 1 to 120, or the window would begin before 1900.
        """
        if not 1 <= months <= 120:
            raise ConfigError(f"months must be 1 to 120, got {months}")
        if until.year < 1911:
            raise ConfigError(f"until must be in 1911 or later, got {until}")
        return cls(since=until - relativedelta(months=months), until=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What a site says has become of a petition, by its own codes and names; empty where it says nothing.

    `is_pending`: it was formed or referred, and has no result yet.
    """

    state_code: str = ""
    state_name: str = ""
    result_code: str = ""
    result_name: str = ""
    stage_code: str = ""
    stage_name: str = ""
    committee_code: str = ""
    committee_name: str = ""
    bill_id: str = ""
    is_pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Petition:
    """One petition as a site tells it. `purpose` is empty where a source has none.

    `category_code` and `category_name` are what the site says, `category` is what we make of it. Where it gave no
    number of agreements, `is_counted` is false and `n_agreements` is 0.
    """

    source: Source
    source_id: str
    title: str
    purpose: str = ""
    body: str
    category: str
    status: Status
    n_agreements: int
    begins_on: date
    ends_on: date
    url: str
    is_moderated: bool = False
    is_counted: bool = True
    category_code: str = ""
    category_name: str = ""
    threshold: int | None = None  # agreements that the site wants of it
    registered_on: date | None = None
    closed_on: date | None = None
    handling: Handling = Handling()
    artifact: str = ""  # where the raw answer is kept, as "file#offset"

    @property
    def petition_id(self) -> str:
        """The key of the petition in every table: source and the site's own id."""
        return f"{self.source}:{self.source_id}"

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of title, purpose and body: the key of all that is computed from the text."""
        joined = "\x00".join((self.title, self.purpose, self.body))
        return hashlib.sha256(joined.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PetitionText:
    """The text of a stored petition, and the hash that names this version of it."""

    petition_id: str
    content_hash: str
    title: str
    purpose: str
    body: str

    @property
    def whole(self) -> str:
        """Title, purpose and body, a line each, empty ones left out: what is tokenized, encoded and trained on."""
        return "\n".join(part for part in (self.title, self.below_title) if part)

    @property
    def below_title(self) -> str:
        """The same without the title."""
        return "\n".join(part for part in (self.purpose, self.body) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerVersion:
    """What stands behind the name of a tokenizer: the versions of all that decides the tokens."""

    tokenizer: str
    tagger: str
    dictionary: str
    stop_words: str
    rules: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A petition that its site hides from the public, or, where it has vanished, knows no longer."""

    source: Source
    source_id: str
    url: str
    artifact: str
    is_vanished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """An answer that was no petition, why, and where its raw bytes are.

    `is_aside`: there was no answer at any try, though there was for others; `artifact` is empty where nothing came.
    """

    source: Source
    url: str
    reason: str
    artifact: str
    is_aside: bool = False


def split_words(text: Iterable[Morpheme]) -> Iterator[list[Morpheme]]:
    """The morphemes between two blanks each."""
    word: list[Morpheme] = []
    for morpheme in text:
        if morpheme[2] and word:
            yield word
            word = []
        word.append(morpheme)
    if word:
        yield word
