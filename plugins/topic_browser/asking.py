"""What a reader asks for, from the request: source, language, and whether the page stands in Airflow's frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import Depends, HTTPException, Query, Request

from petitions.records import Source
from petitions.settings import Settings
from petitions.sources.registry import SOURCES
from petitions.wording import Language

# Pages that every source has, and what stays in the address when the source changes.
_OF_EVERY_SOURCE: Mapping[str, Sequence[str]] = {
    "search": ("q", "status", "first_day", "last_day"), "map": (), "runs": (), "compare": ("by",)
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Goes along with every link of a page."""

    source: Source
    language: Language
    base: str  # the path that the sub-app is mounted at
    is_framed: bool
    path: str  # of this page, within the sub-app
    params: Mapping[str, Sequence[str]]  # each with all its values

    def link(self, path: str, **values: object) -> str:
        """The address of a page of ours, with the source and the language of this one."""
        asked = {"source": self.source, "lang": self.language} | values
        return f"{self.base}/{quote(path)}?{urlencode(asked, doseq=True)}"

    def link_here(self) -> str:
        """The address of this same page with all that decides it, to be kept or sent."""
        return self.link(self.path, **(dict(self.params) | {"source": self.source, "lang": self.language}))

    def link_other_language(self) -> str:
        """The address of this same page in the other language."""
        return self.link(self.path, **(dict(self.params) | {"source": self.source, "lang": self.other_language}))

    @property
    def path_elsewhere(self) -> str:
        """The page that a reader sees of another source: the like of this one, where that has one."""
        return self.path if self.path in _OF_EVERY_SOURCE else ""

    @property
    def params_elsewhere(self) -> Mapping[str, str]:
        """What is asked of another source as of this one; a category is of one source alone."""
        kept = _OF_EVERY_SOURCE.get(self.path, ())
        return {name: self.params[name][-1] for name in kept if self.params.get(name)}

    @property
    def other_language(self) -> Language:
        """The language that this page is not in."""
        return "en" if self.language == "ko" else "ko"


def read_ask(
    request: Request,
    source: Annotated[str | None, Query()] = None,
    lang: Annotated[Language | None, Query()] = None,
) -> Ask:
    """Read them; a value that cannot be is answered by 400 before the page is begun."""
    if source is not None and source not in SOURCES:
        raise HTTPException(400)
    return Ask(
        source=Source(source or Settings.from_env().source),
        language=lang or choose_language(request.headers.get("accept-language", "")),
        base=request.scope.get("root_path", ""),
        is_framed=is_framed(request),
        path=request.url.path.removeprefix(request.scope.get("root_path", "")).lstrip("/"),
        params={name: request.query_params.getlist(name) for name in request.query_params},
    )


def is_framed(request: Request) -> bool:
    """Whether the page is to stand in a frame: Airflow's."""
    return request.headers.get("sec-fetch-dest") == "iframe"


def choose_language(accepted: str) -> Language:
    """The one of our two languages that an Accept-Language header likes best; Korean where it names none."""
    liked: list[tuple[float, Language]] = []
    for part in accepted.split(",")[:20]:
        name, _, weight = part.partition(";q=")
        code = name.strip().lower().split("-")[0]
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if code == "ko" or code == "en":
            liked.append((-quality, "ko" if code == "ko" else "en"))
    return min(liked, key=lambda item: item[0])[1] if liked else "ko"


def require_text(value: str, limit: int) -> str:
    """Give a text back.

    Raises:
        HTTPException: 400: longer than the limit, or with a NUL, which Postgres cannot hold.
    """
    if len(value) > limit or "\0" in value:
        raise HTTPException(400)
    return value


AskDep = Annotated[Ask, Depends(read_ask)]
