import pytest

from petitions.errors import EmptyWindowError
from petitions.topics.choice import Point, Trial, choose_n_topics, measure_stability


def make_fit(**measures):
    """Fits of k topics of ten terms, by name k3=(NPMI, shared terms of ten)."""

    def fit(n_topics, part):
        npmi, n_shared = measures[f"k{n_topics}"]
        topics = [
            [f"{topic}.{term}" if term < n_shared else f"{topic}.{term}.{part}" for term in range(10)]
            for topic in range(n_topics)
        ]
        return Trial(top_terms=topics if part else topics[::-1], npmi=npmi + 0.01 * part)

    return fit


def choose(**measures):
    return choose_n_topics(make_fit(**measures), 1000, None, [int(name[1:]) for name in measures]).n_topics


def test_the_largest_number_about_as_good_as_the_best_is_chosen():
    assert choose(k3=(0.10, 9), k5=(0.11, 9), k7=(0.10, 9), k9=(0.05, 9)) == 7
    assert choose(k3=(0.10, 9), k5=(0.11, 9), k7=(0.10, 5), k9=(0.05, 9)) == 5


def test_a_number_in_use_stays_while_it_is_as_good():
    fit = make_fit(k3=(0.10, 9), k5=(0.11, 9), k7=(0.10, 9), k9=(0.05, 9))
    numbers = [3, 5, 7, 9]
    assert choose_n_topics(fit, 1000, 5, numbers).n_topics == 5
    assert choose_n_topics(fit, 1000, 9, numbers).n_topics == 7


def test_of_coherent_numbers_none_of_which_is_stable_the_most_stable_is_chosen():
    assert choose(k3=(0.01, 9), k5=(0.10, 6), k7=(0.11, 5)) == 5


def test_the_curve_holds_each_number_with_the_mean_of_its_fits():
    curve = choose_n_topics(make_fit(k3=(0.1, 5), k5=(0.0, 9)), 1000, None, [3, 5]).curve
    assert curve == [
        Point(n_topics=3, npmi=pytest.approx(0.105), stability=pytest.approx(0.5)),
        Point(n_topics=5, npmi=pytest.approx(0.005), stability=pytest.approx(0.9)),
    ]


def test_numbers_that_the_documents_are_too_few_for_are_not_tried():
    assert [point.n_topics for point in choose_n_topics(make_fit(k3=(0.1, 5)), 49, None, [3, 5]).curve] == [3]
    with pytest.raises(EmptyWindowError, match=r"29 petitions are too few for any of \[3, 5\] topics"):
        choose_n_topics(make_fit(), 29, None, [3, 5])


def test_stability_pairs_topics_one_to_one():
    bus, school = ["버스", "노선"], ["학교", "급식"]
    assert measure_stability([bus, school], [school, bus]) == 1
    assert measure_stability([bus, bus], [bus, school]) == 0.5
    assert measure_stability([["버스", "정류장"]], [bus]) == 0.5
