import numpy as np
import pytest

from petitions.topics.gate import Quality, find_faults, measure_changed

PUBLISHED = Quality(npmi=0.12, diversity=0.95)


def test_a_fit_like_the_published_one_has_no_fault():
    assert find_faults(Quality(npmi=0.10, diversity=0.9), PUBLISHED, 0.2) == []


def test_each_fault_is_named_with_value_and_limit():
    assert find_faults(Quality(npmi=0.05, diversity=0.8), PUBLISHED, 0.5) == [
        "NPMI is 0.050, must be at least 0.070",
        "diversity is 0.80, must be at least 0.85",
        "50% of the petitions changed their topic, at most 35% may",
    ]


def test_changed_is_the_share_of_petitions_with_another_main_topic():
    assert measure_changed(np.array([1, 1, 2, 9]), np.array([1, 2, 2, 3])) == pytest.approx(0.5)
    assert measure_changed(np.array([], np.int64), np.array([], np.int64)) is None
