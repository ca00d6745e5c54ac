"""What says things in Korean or English, and the words that the report and the topic browser have in common."""

from collections.abc import Callable, Mapping
from typing import Literal

from petitions.sources.registry import SOURCES

Language = Literal["ko", "en"]
Tell = Callable[..., str]
Words = Mapping[str, tuple[str, str]]  # Korean and English by name, with {values} to be filled in

SHARED: dict[str, tuple[str, str]] = {
    "topics": ("주제", "Topics"),
    "share": ("비중", "Share"),
    "petitions": ("청원", "Petitions"),
    "agreements": ("동의", "Agreements"),
    "terms": ("주요 낱말", "Top terms"),
    "as_numbers": ("숫자로 보기", "As numbers"),
    "topic": ("주제", "Topic"),
    "value": ("값", "Value"),
    "diversity": ("다양성", "Diversity"),
    "stability": ("안정성", "Stability"),
    "check": ("검사", "Check"),
    "limit": ("기준", "Limit"),
    "outcome": ("결과", "Outcome"),
    "days": ("{n}일", "{n} d"),
    "fit_quality": ("모형의 품질", "Quality of the fit"),
}


def make_teller(words: Words, language: Language) -> Tell:
    """What gives the text of a name, or of a source, with its {values} filled in; an unknown one stands for itself.

    Args:
        words: of one page, besides those that all share.
        language: of the page.
    """
    place = 0 if language == "ko" else 1
    listed = SHARED | dict(words)

    def tell(name: object, **values: object) -> str:
        source = SOURCES.get(str(name))
        known = source.label if source else listed.get(str(name))
        return known[place].format(**values) if known else str(name)

    return tell
