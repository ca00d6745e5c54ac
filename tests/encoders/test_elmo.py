"""The network against AllenNLP's published vectors, and what must not change a state."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from petitions.encoders.characters import BOS, EOS, to_character_ids
from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import assign_weights, read_weights
from petitions.encoders.elmo_options import ElmoOptions, read_options
from petitions.encoders.names import find_weights

ALLENNLP = Path(__file__).parents[2].parent / "shared/models/elmo-test-allennlp"
SMALL = ElmoOptions(character_dim=4, filters=((1, 4), (2, 8)), n_highway=2, projection_dim=8, lstm_dim=16)


@pytest.fixture(scope="module")
def network():
    network = ElmoNetwork(SMALL)
    rng = np.random.default_rng(0)
    for variable in network.weights_by_name().values():
        variable.assign(rng.normal(0, 0.5, variable.shape))
    return network


def read_tokens(network, sentences, n_steps):
    tokens = np.zeros((len(sentences), n_steps, network.options.projection_dim), np.float32)
    for row, sentence in zip(tokens, sentences, strict=True):
        row[: len(sentence)] = network.characters(to_character_ids(sentence, network.options.max_characters))
    return tokens, np.array([len(sentence) for sentence in sentences])


@pytest.mark.slow
@pytest.mark.skipif(not ALLENNLP.is_dir(), reason="AllenNLP's test ELMo is not in ../shared/models")
def test_the_top_layer_is_allennlps_to_a_hundred_thousandth_with_the_state_carried_from_batch_to_batch():
    network = ElmoNetwork(read_options(ALLENNLP / "options.json"))
    assign_weights(network.weights_by_name(), read_weights(find_weights(ALLENNLP)))
    columns = json.loads((ALLENNLP / "sentences.json").read_text("utf-8"))
    expected = [
        [np.concatenate(file[str(number)][...], axis=-1) for number in range(10)]
        for file in (h5py.File(ALLENNLP / f"lm_embeddings_{row}.hdf5") for row in range(3))
    ]

    states = None
    for number, batch in enumerate(zip(*columns, strict=True)):
        sentences = [[BOS, *text.split(), EOS] for text in batch]
        tokens, lengths = read_tokens(network, sentences, max(map(len, sentences)) + 2)
        layers, states = network(tokens, lengths, states)
        for row, length in enumerate(lengths):
            top = layers[row, -1, 1 : length - 1]
            np.testing.assert_allclose(top, expected[row][number], rtol=0, atol=1e-5)


def test_layers_are_the_tokens_and_each_lstm_with_both_directions_side_by_side(network):
    tokens, lengths = read_tokens(network, [[BOS, "학교", "급식", EOS]], 4)

    layers, _ = network(tokens, lengths)

    assert layers.shape == (1, 3, 4, 16)
    np.testing.assert_array_equal(layers[0, 0], np.concatenate([tokens[0], tokens[0]], axis=-1))


def test_padding_and_neighbours_do_not_change_the_states_of_a_sentence(network):
    sentence = [BOS, "버스", "노선", "을", EOS]
    other = [BOS, *["아무", "상관", "없", "는", "긴", "문장", "이", "옆", "에", "있", "다"], EOS]

    alone, _ = network(*read_tokens(network, [sentence], 5))
    beside, _ = network(*read_tokens(network, [other, sentence], 20))

    np.testing.assert_allclose(beside[1, :, :5], alone[0], atol=1e-6)


def test_the_end_of_a_forward_pass_is_where_the_next_one_begins(network):
    words = ["가", "나", "다", "라", "마", "바"]
    whole, _ = network(*read_tokens(network, [words], 6))

    first, states = network(*read_tokens(network, [words[:4]], 5))
    second, _ = network(*read_tokens(network, [words[4:]], 3), states)

    width = SMALL.projection_dim
    np.testing.assert_allclose(first[0, :, :4, :width], whole[0, :, :4, :width], atol=1e-6)
    np.testing.assert_allclose(second[0, :, :2, :width], whole[0, :, 4:, :width], atol=1e-6)


def test_the_backward_direction_reads_what_comes_after(network):
    width = SMALL.projection_dim
    before, _ = network(*read_tokens(network, [["가", "나", "다"]], 3))
    after, _ = network(*read_tokens(network, [["가", "나", "라"]], 3))

    np.testing.assert_allclose(before[0, 1:, 0, :width], after[0, 1:, 0, :width], atol=1e-6)
    assert np.abs(before[0, 1:, 0, width:] - after[0, 1:, 0, width:]).max() > 1e-3


def test_an_unrolled_network_gives_the_same_states(network):
    tokens, lengths = read_tokens(network, [["가", "나", "다"], ["라"]], 4)

    rolled, _ = network(tokens, lengths)
    unrolled, _ = network(tokens, lengths, unroll=True)

    np.testing.assert_allclose(unrolled, rolled, atol=1e-6)
