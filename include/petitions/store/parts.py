"""Parts of a window, so that several workers share a step: which one a petition is in depends on its id alone."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, literal_column, true

from petitions.errors import ConfigError
from petitions.store.tables import petition


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of `n_parts` parts of a window, `number` counting from 0."""

    number: int = 0
    n_parts: int = 1

    def __post_init__(self) -> None:
        """Refuse a part that is not there.

        Raises:
            ConfigError: the number is not one of 0 to n_parts - 1.
        """
        if not 0 <= self.number < self.n_parts:
            raise ConfigError(f"a part must be one of 0 to {self.n_parts - 1}, got {self.number}")

    def __str__(self) -> str:
        """As people count: 1/8 is the first of eight."""
        return f"{self.number + 1}/{self.n_parts}"


WHOLE = Part()


def in_part(part: Part) -> ColumnElement[bool]:
    """The condition that a petition is in a part; each is in one of them, and they are about as large."""
    if part.n_parts == 1:
        return true()
    hashed = func.hashtextextended(petition.c.petition_id, literal_column("0"))  # may be below 0
    return func.abs(func.mod(hashed, part.n_parts)) == part.number
