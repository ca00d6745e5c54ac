import numpy as np
import pytest
import tensorflow as tf

from petitions.encoders.pooling import mean_pool
from petitions.encoders.windows import to_unit_length


def test_the_mean_is_over_tokens_and_not_over_padding():
    hidden = tf.constant([[[1.0, 2.0], [3.0, 6.0], [99.0, 99.0]]])
    assert mean_pool(hidden, tf.constant([[1, 1, 0]])).numpy().tolist() == [[2.0, 4.0]]


def test_a_row_of_padding_alone_is_all_zeros():
    assert mean_pool(tf.ones([1, 3, 2]), tf.zeros([1, 3], tf.int32)).numpy().tolist() == [[0.0, 0.0]]


def test_rows_get_unit_length_and_a_zero_row_stays_zero():
    rows = to_unit_length(np.array([[3.0, 4.0], [0.0, 0.0], [1e-30, 0.0]]))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0], [1.0, 0.0]]
