"""What a site answered, before anybody reads it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; `form` is what was posted for it, `is_cut` tells that the body went on past the limit."""

    url: str
    form: tuple[tuple[str, str], ...] = ()
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_cut: bool = False
    fetched_at: datetime

    def header(self, name: str) -> str:
        """The value of a header, empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")
