"""Checks and steps in the words of a reader."""

import math

import pytest
from topic_browser.words import WORDS as BROWSER_WORDS

from petitions.check_words import CHECKS, FAMILIES, STEPS, tell_check, tell_limit, tell_step, tell_value
from petitions.commands.report_words import WORDS as REPORT_WORDS
from petitions.sources import assembly_codes
from petitions.store.check_rules import RULES, RULES_BY_ENCODER, RULES_BY_SCORER
from petitions.store.checks import RECALL, plan_known_item
from petitions.text.known_questions import BODY, TITLE, TWO_WORDS
from petitions.wording import SHARED


def test_every_check_has_one_name_in_both_languages():
    names = {rule.name for rule in (*RULES, *RULES_BY_ENCODER, *RULES_BY_SCORER, RECALL)}
    names |= {plan_known_item("", of, fused=1, at_least=1).rule.name for of in (TITLE, TWO_WORDS, BODY)}
    names |= {f"unknown_{kind}" for kind in assembly_codes.CODES}
    assert set(CHECKS) == names
    told = [*CHECKS.values(), *FAMILIES.values(), *STEPS.values()]
    assert all(korean and english and korean != english for korean, english in told)


def test_neither_the_report_nor_the_browser_names_a_check_in_other_words():
    assert not set(CHECKS) & set(REPORT_WORDS | BROWSER_WORDS | SHARED)


@pytest.mark.parametrize(
    ("name", "korean", "english"),
    [
        ("tokens_missing", "주제 낱말이 없는 청원", "Petitions without words for topics"),
        ("recall bert@1", "색인이 찾은 가까운 벡터의 비율 · bert@1", "Nearest vectors that the index finds · bert@1"),
        (
            "unknown_status 7 새 상태",
            "모르는 코드의 청원 (알림) · status · 7 새 상태",
            "Petitions of an unknown code (a warning) · status · 7 새 상태",
        ),
        (
            "unknown_category AIDATA",
            "모르는 분야 코드의 청원 (알림) · AIDATA",
            "Petitions of an unknown category (a warning) · AIDATA",
        ),
        ("of_one's_own x", "of_one's_own x", "of_one's_own x"),
    ],
)
def test_a_check_is_told_in_the_language_of_the_reader(name, korean, english):
    assert (tell_check(name, "ko"), tell_check(name, "en")) == (korean, english)


@pytest.mark.parametrize(
    ("limit", "korean", "english"),
    [
        ("at least 400", "400 이상", "at least 400"),
        ("at most 0.001", "0.001 이하", "at most 0.001"),
        ("at least 1e+06", "1,000,000 이상", "at least 1,000,000"),
        ("equal to 3", "equal to 3", "equal to 3"),
        ("at least many", "at least many", "at least many"),
    ],
)
def test_a_limit_is_told_in_the_language_of_the_reader(limit, korean, english):
    assert (tell_limit(limit, "ko"), tell_limit(limit, "en")) == (korean, english)


def test_a_count_is_whole_and_what_was_not_measured_says_so():
    told = [tell_value(value, "en") for value in (1234567.0, 0.98765, math.nan, None, 0.0)]
    assert told == ["1,234,567", "0.9877", "not measured", "not measured", "0"]
    assert tell_value(math.nan, "ko") == "재지 않음"


def test_a_step_is_told_with_what_it_was_done_by():
    assert tell_step("encode bert", "ko") == "벡터 만들기 · bert"
    assert tell_step("fit_topics", "en") == "Find topics"
    assert tell_step("later_step", "en") == "later_step"
