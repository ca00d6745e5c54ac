import numpy as np
import pytest

from petitions.topics.alignment import Comparison, align_topics
from petitions.topics.events import Event, tell_events


def compare(distance, n_common=None, n_petitions=None):
    """A comparison whose topics share all their terms where they are near."""
    distance = np.array(distance, float)
    counts = None if n_common is None else np.array(n_common)
    sizes = np.zeros(len(distance), int) if counts is None else counts.sum(axis=1)
    return Comparison(
        distance=distance,
        n_shared=np.where(distance < 0.6, 10, 0),
        n_petitions=sizes if n_petitions is None else np.array(n_petitions),
        n_common=counts,
    )


def tell(comparison):
    return tell_events(align_topics(comparison), comparison)


def test_a_topic_that_stays_is_continued_with_its_distance_and_overlap():
    assert tell(compare([[0.1]], [[80]])) == [Event(kind="continued", new=0, old=0, distance=0.1, overlap=1.0)]


def test_a_topic_from_nowhere_is_born_and_one_that_goes_everywhere_dies():
    events = tell(compare([[0.1, 0.9, 0.9], [0.9, 0.1, 0.9], [0.9, 0.9, 0.9]], [[90, 2, 20], [1, 80, 20], [20, 20, 5]]))
    assert events[2:] == [Event(kind="born", new=2), Event(kind="died", old=2)]
    assert [event.kind for event in events[:2]] == ["continued", "continued"]


def test_a_topic_whose_petitions_mostly_were_of_one_that_goes_on_is_split_from_it():
    events = tell(compare([[0.2, 0.9], [0.9, 0.1], [0.7, 0.9]], [[70, 0], [0, 90], [30, 20]]))
    assert events[2] == Event(kind="split", new=2, old=0, distance=0.7, overlap=pytest.approx(30 / 120))
    assert len(events) == 3


def test_new_petitions_count_against_a_split():
    comparison = compare([[0.2, 0.9], [0.7, 0.9]], [[70, 0], [30, 0]], n_petitions=[70, 90])
    assert tell(comparison)[1] == Event(kind="born", new=1)


def test_a_topic_whose_petitions_mostly_went_to_one_that_goes_on_is_merged_into_it():
    events = tell(compare([[0.2, 0.9, 0.7], [0.9, 0.1, 0.9]], [[70, 0, 30], [0, 90, 20]]))
    assert events[2] == Event(kind="merged", new=0, old=2, distance=0.7, overlap=pytest.approx(30 / 120))


def test_a_topic_that_is_replaced_by_a_stranger_dies_and_is_no_split():
    comparison = compare([[0.1, 0.9], [0.9, 0.9]], [[90, 0], [0, 90]])
    assert tell(comparison)[1:] == [Event(kind="born", new=1), Event(kind="died", old=1)]


def test_without_common_petitions_the_distance_tells_splits_and_mergers():
    split = tell(compare([[0.1, 0.9], [0.4, 0.9], [0.9, 0.2]]))
    assert split[1] == Event(kind="split", new=1, old=0, distance=0.4)
    merged = tell(compare([[0.1, 0.4, 0.9], [0.9, 0.9, 0.2]]))
    assert merged[2] == Event(kind="merged", new=0, old=1, distance=0.4)
    assert tell(compare([[0.1, 0.9], [0.7, 0.9]]))[1:] == [Event(kind="born", new=1), Event(kind="died", old=1)]


def test_all_topics_of_the_first_fit_are_born():
    comparison = compare(np.zeros((2, 0)), np.zeros((2, 0), int))
    assert tell(comparison) == [Event(kind="born", new=0), Event(kind="born", new=1)]
