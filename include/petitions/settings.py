"""Settings from the environment (PETITIONS_*), read here alone; a name that is not known is refused."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from petitions.errors import ConfigError
from petitions.records import Source

PREFIX = "PETITIONS_"
MODELS = Path(__file__).parent / "models"
ACCELERATORS = ("auto", "tpu", "gpu", "cpu")
CPU_ENGINES = ("auto", "tensorflow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field for each PETITIONS_<FIELD> variable; see the table in the README."""

    database_url: str = ""  # empty: the embedded Postgres in .local/postgres
    artifacts: str = ".local/artifacts"
    source: str = "assembly"
    assembly_url: str = "https://petitions.assembly.go.kr"
    bluehouse_url: str = "https://www1.president.go.kr"
    contact: str = ""
    requests_per_second: float = 2.0
    connections: int = 2
    bert_model: str = field(default=str(MODELS / "bert-small"))
    elmo_model: str = field(default=str(MODELS / "elmo-small"))
    cpu_engine: str = "auto"
    accelerator: str = "auto"
    topics: int = 9

    def __post_init__(self) -> None:
        if self.source not in set(Source):
            raise ConfigError(f"PETITIONS_SOURCE must be one of {', '.join(Source)}, got {self.source!r}")
        if not 0 < self.requests_per_second <= 10_000:
            raise ConfigError(
                f"PETITIONS_REQUESTS_PER_SECOND must be over 0 and at most 10000, got {self.requests_per_second}"
            )
        if not 1 <= self.connections <= 64:
            raise ConfigError(f"PETITIONS_CONNECTIONS must be 1 to 64, got {self.connections}")
        if not 2 <= self.topics <= 200:
            raise ConfigError(f"PETITIONS_TOPICS must be 2 to 200, got {self.topics}")
        if self.accelerator not in ACCELERATORS:
            raise ConfigError(f"PETITIONS_ACCELERATOR must be one of {', '.join(ACCELERATORS)}, got {self.accelerator!r}")
        if self.cpu_engine not in CPU_ENGINES:
            raise ConfigError(f"PETITIONS_CPU_ENGINE must be one of {', '.join(CPU_ENGINES)}, got {self.cpu_engine!r}")
        for name in ("assembly_url", "bluehouse_url"):
            if not getattr(self, name).startswith(("http://", "https://")):
                raise ConfigError(f"{PREFIX}{name.upper()} must be an http(s) address, got {getattr(self, name)!r}")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every PETITIONS_* variable; an empty value means the default.

        Raises:
            ConfigError: an unknown name, or a value that cannot be.
        """
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        values: dict[str, str | int | float] = {}
        for name, text in environ.items():
            if not name.startswith(PREFIX):
                continue
            if name not in known:
                raise ConfigError(f"unknown setting {name}; known: {', '.join(sorted(known))}")
            if not text:
                continue
            item = known[name]
            kind = {"int": int, "float": float}.get(getattr(item.type, "__name__", str(item.type)), str)
            try:
                values[item.name] = kind(text)
            except ValueError:
                raise ConfigError(f"{name} must be a number, got {text!r}") from None
        return cls(**values)  # type: ignore[arg-type]
