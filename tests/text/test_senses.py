"""Which vectors are a sense, and what is told of one: small clouds whose senses are known."""

import numpy as np
import pytest

from petitions.text.occurrences import find_occurrences
from petitions.text.senses import NEIGHBOURS, choose_typical, cluster_senses, find_neighbours, mix_vectors
from petitions.text.tokenizer import Tokenizer


def make_cloud(*sizes, noise=0.05, seed=0):
    """Clouds of so many vectors each, far from each other, on top of what they have in common."""
    rng = np.random.default_rng(seed)
    middles = np.eye(40)[: len(sizes)]
    return np.vstack([middle + rng.normal(0, noise, (n, 40)) for middle, n in zip(middles, sizes, strict=True)]) + 3


def mix(vectors, owners=None):
    return mix_vectors([(vectors, 1.0), (vectors[:, ::-1], 1.4)], owners or [str(n) for n in range(len(vectors))])


@pytest.mark.parametrize("sizes", [(30, 20), (40, 25, 12)])
def test_clouds_are_senses_numbered_by_their_size(sizes):
    labels = cluster_senses(mix(make_cloud(*sizes)))
    assert labels.tolist() == [sense for sense, n in enumerate(sizes) for _ in range(n)]


def test_one_cloud_is_one_sense():
    assert set(cluster_senses(mix(make_cloud(60, noise=1.0)))) == {0}


@pytest.mark.parametrize("n", [1, 2, 9])
def test_a_few_occurrences_are_one_sense(n):
    assert cluster_senses(mix(make_cloud(n))).tolist() == [0] * n


def test_equal_occurrences_are_one_sense():
    assert cluster_senses(mix(np.ones((30, 8)))).tolist() == [0] * 30


def test_a_number_that_is_told_is_kept_and_the_same_each_time():
    vectors = mix(make_cloud(30, 20))
    labels = cluster_senses(vectors, 4)
    assert set(labels) == {0, 1, 2, 3}
    assert labels.tolist() == cluster_senses(mix(make_cloud(30, 20)), 4).tolist()
    assert set(cluster_senses(vectors, 1)) == {0}


def test_what_a_petition_means_counts_with_each_of_its_occurrences():
    """The last one stands between both; its petition decides."""
    vectors = make_cloud(20, 20, 0)
    between = vectors[:20].mean(axis=0) / 2 + vectors[20:].mean(axis=0) / 2
    stacked = np.vstack([vectors, between])
    for first in (0, 20):
        owners = [str(n) for n in range(40)] + [str(first)]
        for other in range(first + 1, first + 6):
            owners[other] = str(first)
        labels = cluster_senses(mix(stacked, owners), 2)
        assert labels[-1] == labels[first]


def test_the_most_typical_stands_in_the_middle():
    vectors = mix(make_cloud(20, 20))
    members = list(range(20, 40))
    order = choose_typical(vectors, members)
    assert sorted(order) == members
    nearness = vectors[20:] @ vectors[20:].mean(axis=0)
    assert order[0] == 20 + int(nearness.argmax())


def test_neighbours_tell_a_sense_from_the_others():
    tokenizer = Tokenizer()
    texts = ["병원에서 담당 의사가 진료를 했습니다"] * 4 + ["위원회가 반대 의사를 표시했습니다"] * 2
    found = [item for text in texts for item in find_occurrences(tokenizer, text, "의사")]
    doctor, intention = find_neighbours(found, np.array([0] * 4 + [1] * 2), ["진료"])
    assert set(doctor) == {"병원", "담당"}
    assert set(intention) == {"위원회", "반대", "표시"}
    (all_,) = find_neighbours(found, np.zeros(6, np.int64), [])
    assert all_[:3] == ["담당", "병원", "진료"]
    assert len(all_) <= NEIGHBOURS
