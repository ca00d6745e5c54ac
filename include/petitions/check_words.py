"""Names, values and limits of checks, and steps of runs, as people read them, Korean and English.

The report and the topic browser both say them by this one table.
"""

import math
import re

from petitions.wording import Language

# By the first word of a name; the rest is an encoder or a code of the site.
CHECKS: dict[str, tuple[str, str]] = {
    "petitions_in_window": ("기간 안의 청원", "Petitions in the window"),
    "volume_against_published": ("공개된 기간에 견준 하루 청원 수", "Petitions a day, against those published"),
    "days_since_open_petitions_were_seen": (
        "진행 중인 청원을 본 지 지난 날",
        "Days since open petitions were seen",
    ),
    "petitions_with_empty_fields": ("빈 칸이 있는 청원", "Petitions with empty fields"),
    "share_of_empty_bodies": ("내용이 빈 청원의 비율", "Share of empty texts"),
    "petitions_out_of_range": ("날짜가 맞지 않는 청원", "Petitions with days that cannot be"),
    "tokens_missing": ("주제 낱말이 없는 청원", "Petitions without words for topics"),
    "search_words_missing": ("찾을 낱말이 없는 청원", "Petitions without words to search by"),
    "petitions_not_looked_at_for_copies": (
        "베낀 글인지 살피지 않은 청원",
        "Petitions not looked at for copies",
    ),
    "share_of_petitions_with_topics": ("주제가 있는 청원의 비율", "Share of petitions with topics"),
    "topic_share_error": ("청원 하나의 주제 비중 합이 1에서 벗어남", "Shares of a petition, off a sum of 1"),
    "topic_total_error": ("주제 비중 합이 1에서 벗어남", "Shares of all topics, off a sum of 1"),
    "topics_with_20_terms": ("낱말 20개가 있는 주제의 비율", "Share of topics with 20 terms"),
    "topic_diversity": ("주제의 다양성", "Diversity of topics"),
    "scores_without_fit": ("모형이 없는 점수", "Scores without a fit"),
    "embeddings_missing": ("벡터가 없는 청원", "Petitions without a vector"),
    "embedding_length_error": ("벡터의 길이가 1에서 벗어남", "Lengths of vectors, off 1"),
    "embedding_widths": ("벡터 차원의 가짓수", "Different widths of vectors"),
    "scores_missing": ("빠진 점수", "Scores missing"),
    "scores_out_of_range": ("범위를 벗어난 점수", "Scores out of range"),
    "keywords_of_older_texts": ("옛 글의 열쇳말", "Keywords of older texts"),
    "labels_missing": ("판별이 없는 청원", "Petitions without a label"),
    "recall": ("색인이 찾은 가까운 벡터의 비율", "Nearest vectors that the index finds"),
    "known_items_by_title": ("제목으로 찾은 정답", "Known items found by their title"),
    "known_items_by_two_words_of_the_title": (
        "제목의 두 낱말로 찾은 정답",
        "Known items found by two words of the title",
    ),
    "known_items_by_body_from_title": ("제목으로 찾은 본문", "Known texts found by their title"),
    "unknown_category": ("모르는 분야 코드의 청원 (알림)", "Petitions of an unknown category (a warning)"),
    "unknown_state": ("모르는 상태 코드의 청원 (알림)", "Petitions of an unknown state (a warning)"),
    "unknown_result": ("모르는 결과 코드의 청원 (알림)", "Petitions of an unknown result (a warning)"),
    "unknown_stage": ("모르는 심사 단계 코드의 청원 (알림)", "Petitions of an unknown stage (a warning)"),
}
# Names that end in what was measured, where CHECKS lacks them: a set of questions, a kind of code.
FAMILIES: dict[str, tuple[str, str]] = {
    "known_items_by_": ("낱말과 벡터로 찾은 정답", "Known items found by words and vectors"),
    "unknown_": ("모르는 코드의 청원 (알림)", "Petitions of an unknown code (a warning)"),
}
STEPS: dict[str, tuple[str, str]] = {
    "crawl": ("수집", "Crawl"),
    "tokenize": ("낱말 나누기", "Split into words"),
    "fit_topics": ("주제 찾기", "Find topics"),
    "encode": ("벡터 만들기", "Encode"),
    "score": ("점수 매기기", "Score"),
    "similarity": ("닮은 정도", "Likeness to topics"),
    "find_copies": ("베낀 글 찾기", "Find copies"),
    "check": ("검사", "Check"),
    "publish": ("공개", "Publish"),
}
_LIMIT = re.compile(r"at (least|most) (\S+)")


def tell_check(name: str, language: Language) -> str:
    """The name of a check, with whose it is; an unknown one stands for itself."""
    first, _, rest = name.partition(" ")
    if first in CHECKS:
        return " · ".join(filter(None, (_choose(CHECKS[first], language), rest)))
    for beginning, told in FAMILIES.items():
        if first.startswith(beginning):
            subject = first.removeprefix(beginning).replace("_", " ")
            return " · ".join(filter(None, (_choose(told, language), subject, rest)))
    return name


def tell_step(name: str, language: Language) -> str:
    """The name of a step, with what it was done by."""
    first, _, rest = name.partition(" ")
    return " · ".join(filter(None, (_choose(STEPS.get(first, (first, first)), language), rest)))


def tell_value(value: float | None, language: Language) -> str:
    """What a check found: counts whole, and NaN as not measured."""
    if value is None or math.isnan(value):
        return _choose(("재지 않음", "not measured"), language)
    return f"{int(value):,}" if value.is_integer() else f"{value:.4g}"


def tell_limit(limit: str, language: Language) -> str:
    """What the value must keep to; words that are not known stand for themselves."""
    found = _LIMIT.fullmatch(limit)
    if not found:
        return limit
    least = found[1] == "least"
    try:
        number = tell_value(float(found[2]), language)
    except ValueError:
        return limit
    if language == "ko":
        return f"{number} {'이상' if least else '이하'}"
    return f"at {found[1]} {number}"


def _choose(words: tuple[str, str], language: Language) -> str:
    return words[0 if language == "ko" else 1]
