"""A text that stands in another is found, whatever stands around it, and a campaign makes pairs in proportion to it."""

import numpy as np
import pytest

from petitions.text.copies import find_candidates, group_pairs, measure_containment
from petitions.text.fingerprints import RUN, WINDOW, choose_fingerprints, hash_runs, hash_spelling

RNG = np.random.default_rng(0)


def write(n: int) -> str:
    """N letters that no other text has."""
    return "".join(map(chr, RNG.integers(0xAC00, 0xD7A4, n)))


def fingerprint(text: str) -> np.ndarray:
    return choose_fingerprints(hash_runs(text))


def find(texts: list[str]) -> list[list[int]]:
    return find_candidates([fingerprint(text) for text in texts]).tolist()


def test_case_blanks_and_marks_are_not_spelled():
    assert hash_spelling("아이가 운다. Yes_") == hash_spelling("아이가\n운다!YES") != hash_spelling("아이가 운다")


def test_a_run_in_common_has_a_fingerprint_in_common():
    common = write(WINDOW + RUN - 1)
    for _ in range(50):
        one, other = (fingerprint(write(int(RNG.integers(9, 60))) + common + write(40)) for _ in range(2))
        assert len(np.intersect1d(one, other)) >= 1


@pytest.mark.parametrize("text", ["", "가", "!!!", "도와 주세요"])
def test_a_short_text_has_no_fingerprints(text):
    assert len(fingerprint(text)) == 0
    assert find([text, text]) == []


def test_a_text_inside_a_longer_one_is_found_and_measured_both_ways():
    short = write(120)
    texts = [write(500), write(300) + short + write(300), write(400), short]
    assert find(texts) == [[1, 3]]
    contained = measure_containment(hash_runs(texts[1]), hash_runs(texts[3]))
    assert contained.later_in_earlier == 1 and contained.is_copy
    assert contained.earlier_in_later == pytest.approx(113 / 713)


def test_texts_that_share_a_formula_alone_are_none():
    formula = "이상으로 국민 여러분의 많은 관심과 동의를 부탁드립니다 감사합니다"
    assert find([write(300) + formula for _ in range(20)]) == []


def test_a_campaign_makes_pairs_in_proportion_and_one_group():
    template = write(400)
    texts = [template + write(30) for _ in range(300)] + [write(400) for _ in range(50)]
    pairs = find(texts)
    assert 299 <= len(pairs) <= 300 * 12
    assert set(group_pairs(map(tuple, pairs)).items()) == {(place, 0) for place in range(300)}


def group(texts: list[str]) -> dict[int, int]:
    """The groups of the candidates that are copies."""
    return group_pairs(
        (one, other)
        for one, other in find(texts)
        if measure_containment(hash_runs(texts[one]), hash_runs(texts[other])).is_copy
    )


def test_copies_that_have_mostly_formulas_in_common_are_counted_in_full():
    """Their formulas stand in twenty others each, between them: what is met of the two is a twentieth of either."""
    formulas = [write(40) for _ in range(6)]
    texts = [formulas[place % 6] + write(600) + formulas[(place + 1) % 6] for place in range(60)]
    begin = write(25)
    for place in (20, 55):
        texts.insert(place, begin + "".join(formula + write(15) for formula in formulas))
    assert group(texts) == {20: 20, 55: 20}


def test_copies_that_have_nothing_but_formulas_in_common_hang_together():
    """Each formula stands in a hundred other texts besides, of which none has two of them."""
    formulas = [write(60) for _ in range(12)]
    texts = [write(500) + formulas[place % 12] for place in range(1200)]
    twins = {300: formulas, 700: [*formulas[1:], write(60)], 1100: [write(60), *formulas[:-1]]}
    for place, parts in twins.items():
        texts[place] = "".join(parts)
    assert group(texts) == dict.fromkeys(twins, 300)


def test_groups_are_named_by_their_first_whatever_the_order_of_pairs():
    assert group_pairs([(4, 5), (2, 4), (7, 9)]) == group_pairs([(7, 9), (2, 4), (4, 5)])
    assert group_pairs([(4, 5), (2, 4), (7, 9)]) == {2: 2, 4: 2, 5: 2, 7: 7, 9: 7}
    assert group_pairs([]) == {}
