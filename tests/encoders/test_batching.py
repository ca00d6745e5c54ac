from petitions.encoders.batching import plan_batches


def test_every_sequence_is_in_one_batch_that_is_long_enough():
    lengths = [5, 512, 33, 32, 200, 7, 64, 128, 500] * 7
    batches = list(plan_batches(lengths, 512, 1024))
    assert sorted(index for batch in batches for index in batch.indices) == list(range(len(lengths)))
    for batch in batches:
        assert max(lengths[index] for index in batch.indices) <= batch.length
        assert len(batch.indices) <= batch.n_rows <= 1024 // batch.length


def test_shapes_are_few_and_only_the_last_batch_is_partly_empty():
    lengths = [1 + index % 256 for index in range(1003)]
    batches = list(plan_batches(lengths, 256, 2048))
    assert all(len(batch.indices) == batch.n_rows for batch in batches[:-1])
    assert len({(batch.n_rows, batch.length) for batch in batches}) <= 5


def test_one_short_text_is_one_short_row():
    (batch,) = plan_batches([9], 512, 4096)
    assert (batch.n_rows, batch.length) == (1, 32)


def test_no_sequence_is_no_batch():
    assert list(plan_batches([], 512, 4096)) == []


def test_rows_are_a_multiple_of_the_replicas():
    batches = list(plan_batches([10] * 13 + [100] * 3, 128, 256, multiple=3))
    assert all(batch.n_rows % 3 == 0 for batch in batches)
    assert sum(len(batch.indices) for batch in batches) == 16


def test_a_network_with_few_positions_has_no_longer_batches():
    assert {batch.length for batch in plan_batches([3, 24], 24, 24)} == {24}
