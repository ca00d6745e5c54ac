"""Settings from the environment (PETITIONS_*), read here alone; a name that is not known is refused."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from petitions.addresses import Login, hide_login, split_login
from petitions.errors import ConfigError
from petitions.records import Source
from petitions.sources.registry import SOURCES, find_source

PREFIX = "PETITIONS_"
MODELS = Path(__file__).parent / "models"
MODERATION = "moderation-words"  # the scorer that ships; its folder stands among MODELS
ACCELERATORS = ("auto", "tpu", "gpu", "cpu")
CPU_ENGINES = ("auto", "tensorflow", "onnxruntime")
ON_OFF = ("on", "off")
CHOICES = {"accelerator": ACCELERATORS, "cpu_engine": CPU_ENGINES, "page_meaning": ON_OFF}
RANGES = {"requests_per_second": (0.01, 10_000), "connections": (1, 64), "topics": (2, 200)}
TopicCount = int | Literal["auto"]  # auto: as many as are stable and coherent


def read_topic_count(text: str) -> TopicCount:
    """Read a number of topics, or `auto`; its range is checked by the settings.

    Raises:
        ValueError: it is neither.
    """
    return "auto" if text == "auto" else int(text)


def read_list(text: str) -> tuple[str, ...]:
    """Read texts with commas between them; `none` is none of them, since an empty value means the default."""
    return () if text.strip() == "none" else tuple(filter(None, map(str.strip, text.split(","))))


_WEB_ADDRESS = "must be an http(s) address, such as https://host:8443"
_BLANK = re.compile(r"[\s\x00-\x1f]")
READERS: dict[object, tuple[Callable[[str], object], str]] = {  # by the type of a field; the others are texts
    int: (int, "a number"),
    float: (float, "a number"),
    TopicCount: (read_topic_count, "a number or auto"),
    tuple[str, ...]: (read_list, "texts, commas between them"),
    date | None: (date.fromisoformat, "a date such as 2019-04-01"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field for each PETITIONS_<FIELD> variable; see docs/settings.md."""

    database_url: str = field(default="", repr=False)  # empty: the embedded Postgres in .local/postgres
    artifacts: str = ".local/artifacts"
    source: str = "assembly"
    site_urls: Mapping[str, str] = field(default_factory=dict)  # by source: PETITIONS_<SOURCE>_URL, where it is set
    site_logins: Mapping[str, Login] = field(default_factory=dict)  # who asks there, where that variable says it
    assembly_requests: str = ""  # how its API is asked, where that has changed: JSON, or a file with it
    assembly_key: str = field(default="", repr=False)  # of the official open data; empty: it is not asked
    assembly_data_url: str = "https://open.assembly.go.kr"
    contact: str = ""
    requests_per_second: float = 2.0
    connections: int = 2
    bert_model: str = field(default=str(MODELS / "sentence-small"))  # masked words; what else the next has no head for
    embedding_model: str = field(default=str(MODELS / "sentence-small"))  # what is searched and compared
    embedding_prompts: str = ""  # of a question, "|", of a petition; empty: as the folder of the embedding model says
    elmo_model: str = field(default=str(MODELS / "elmo-small"))
    scorers: tuple[str, ...] = (MODERATION,)  # folders or hub names of what gives labels, which are stored too
    accelerator: str = "auto"
    cpu_engine: str = "auto"  # of BERT where there is no accelerator; auto: the fastest here
    page_meaning: str = "on"  # whether the page in Airflow embeds questions, as the command does
    topics: TopicCount = 9
    volume_since: date | None = None  # weeks before it are not compared: the day from which a new level is accepted
    notify_webhook: str = field(
        default="", repr=False
    )  # where plugins/petition_notices.py posts {"text": ...}; empty: nowhere
    notify_email: str = ""  # addresses, with commas between them; empty: none

    def __post_init__(self) -> None:
        find_source(self.source, _variable("source"))
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"{_variable(name)} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if value != "auto" and not least <= value <= most:
                raise ConfigError(f"{_variable(name)} must be {least} to {most}, got {value}")
        _require_prompts(self.embedding_prompts)
        if self.notify_webhook and not _is_web_address(self.notify_webhook):
            raise ConfigError(f"{_variable('notify_webhook')} {_WEB_ADDRESS}")  # a secret: not shown
        _require_data_url(self.assembly_data_url)
        for source, url in self.site_urls.items():
            if not _is_web_address(url) or "@" in url:
                raise ConfigError(
                    f"{_variable(f'{source}_url')} {_WEB_ADDRESS}, in whose user and password signs such as / and @ are"
                    f" written %2F and %40, got {hide_login(url)!r}"
                )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every PETITIONS_* variable; an empty value means the default.

        Raises:
            ConfigError: an unknown name, or a value that cannot be.
        """
        known = {_variable(item.name): item for item in fields(cls) if not item.name.startswith("site_")}
        sites = {_variable(f"{name}_url"): name for name, entry in SOURCES.items() if entry.url}
        values: dict[str, object] = {}
        for name, text in environ.items():
            if not name.startswith(PREFIX):
                continue
            if name not in known and name not in sites:
                raise ConfigError(f"unknown setting {name}; known: {', '.join(sorted({*known, *sites}))}")
            if not text or name in sites:
                continue
            item = known[name]
            read, what = READERS.get(item.type, (str, "a text"))
            try:
                values[item.name] = read(text)
            except ValueError:
                raise ConfigError(f"{name} must be {what}, got {text!r}") from None
        told = {source: _split_login(environ[name]) for name, source in sites.items() if environ.get(name)}
        urls = {source: url for source, (url, _) in told.items()}
        logins = {source: login for source, (_, login) in told.items() if login}
        return cls(**values, site_urls=urls, site_logins=logins)  # type: ignore[arg-type]

    def site_url(self, source: Source) -> str:
        """Where the site of a source is, without a slash at the end.

        Raises:
            ConfigError: the source has no site.
        """
        url = self.site_urls.get(source) or SOURCES[source].url
        if not url:
            raise ConfigError(f"the source {source} has no site")
        return url.rstrip("/")


def _require_data_url(url: str) -> None:
    if not _is_web_address(url) or "@" in url:
        raise ConfigError(f"{_variable('assembly_data_url')} {_WEB_ADDRESS}, got {hide_login(url)!r}")


def _require_prompts(prompts: str) -> None:
    if prompts and prompts.count("|") != 1:
        raise ConfigError(
            f"{_variable('embedding_prompts')} must be the prompt of a question, | and that of a petition, such as "
            f"'query: |passage: ', got {prompts!r}"
        )


def _is_web_address(url: str) -> bool:
    """Whether requests can be sent to it: scheme, host and port are such as may be."""
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")  # a UnicodeError is a ValueError
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not _BLANK.search(url)
    except ValueError:
        return False


def _split_login(url: str) -> tuple[str, Login | None]:
    try:
        return split_login(url)
    except ValueError:  # the address cannot be: it is refused as it stands
        return url, None


def _variable(name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + name.upper()
