import numpy as np

from petitions.topics.belonging import find_borne
from petitions.topics.corpus import count_matrix

SCHOOL, BUS = [0, 1, 2, 3], [10, 11, 12, 13]


def test_a_petition_is_of_its_topic_where_it_holds_three_of_its_terms():
    others = [(term, 1) for term in range(20, 30)]
    bags = [[(0, 1), (1, 1), (2, 1), *others], [(0, 5), (1, 5), *others], [(10, 1), (11, 1), (12, 1), *others]]
    shares = np.array([[0.9, 0.1]] * 3)
    expected = [True, False, False]
    assert find_borne([count_matrix(bags, 30)], 30, shares, [SCHOOL, BUS]).tolist() == expected
    blocks = [count_matrix(few, 30) for few in (bags[:1], [], bags[1:])]
    assert find_borne(blocks, 30, shares, [SCHOOL, BUS]).tolist() == expected
    assert find_borne([], 30, np.zeros((0, 2)), [SCHOOL, BUS]).tolist() == []


def test_a_title_alone_needs_one_term():
    bags = [[(0, 1), (20, 1)], [(20, 1), (21, 1)], []]
    shares = np.array([[0.9, 0.1]] * 3)
    assert find_borne([count_matrix(bags, 30)], 30, shares, [SCHOOL, BUS]).tolist() == [True, False, False]
