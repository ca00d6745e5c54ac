import numpy as np
import pytest

from petitions.topics.shares import measure_shares

# Three petitions of one category, one of another.
DOCUMENT_TOPIC = np.array([[1, 0], [1, 0], [0.25, 0.75], [0, 1]], np.float32)
CATEGORIES = ["교통/건축/국토", "교통/건축/국토", "교통/건축/국토", "육아/교육"]


def test_one_loud_category_does_not_hide_the_rest():
    shares = measure_shares(DOCUMENT_TOPIC, CATEGORIES, [10, 0, 20, 70])
    np.testing.assert_allclose(shares.share, [2.25 / 4, 1.75 / 4])
    np.testing.assert_allclose(shares.balanced_share, [(0.75 + 0) / 2, (0.25 + 1) / 2])
    np.testing.assert_allclose(shares.agreement_share, [(10 + 5) / 100, (15 + 70) / 100])


def test_without_agreements_every_petition_weighs_the_same():
    shares = measure_shares(DOCUMENT_TOPIC, CATEGORIES, [0, 0, 0, 0])
    np.testing.assert_array_equal(shares.agreement_share, shares.share)


def test_a_single_category_balances_nothing():
    shares = measure_shares(DOCUMENT_TOPIC, [""] * 4, [1, 2, 3, 4])
    np.testing.assert_allclose(shares.balanced_share, shares.share)


def test_every_share_sums_to_one_over_many_petitions():
    generator = np.random.default_rng(0)
    document_topic = generator.dirichlet(np.ones(9), 5_000).astype(np.float32)
    categories = [f"분야 {number}" for number in generator.integers(0, 17, 5_000)]
    shares = measure_shares(document_topic, categories, generator.integers(0, 500_000, 5_000).tolist())
    for share in (shares.share, shares.balanced_share, shares.agreement_share):
        assert share.sum() == pytest.approx(1, abs=1e-6)


def test_no_petitions_have_no_shares():
    shares = measure_shares(np.zeros((0, 3), np.float32), [], [])
    for share in (shares.share, shares.balanced_share, shares.agreement_share):
        np.testing.assert_array_equal(share, [0, 0, 0])
