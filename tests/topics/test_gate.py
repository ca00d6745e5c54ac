import numpy as np
import pytest

from petitions.topics.gate import Quality, find_faults, is_measure, measure_changed

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


@pytest.mark.parametrize(
    ("common", "kept", "days", "published_days", "is_one"),
    [
        (0.99, 0.99, 92, 92, True),
        (0.99, 0.97, 89, 92, True),  # three months either way
        (1.0, 0.33, 31, 92, False),  # the last month of three
        (0.33, 1.0, 92, 31, False),  # three months after one
        (1.0, 0.9, 31, 92, False),  # a shorter window, whose first days were quiet
        (0.5, 0.99, 92, 92, False),  # twice as many petitions as before
    ],
)
def test_a_fit_is_measured_by_one_of_nearly_the_same_petitions(common, kept, days, published_days, is_one):
    assert is_measure(common, kept, days, published_days) is is_one
