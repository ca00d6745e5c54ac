"""Every layer of a larger random ELMo against the equations of Peters et al. (2018), written out in NumPy.

The gates have the field's names: input, forget and output gate, candidate, cell, projection. The same model is compared
with simple_elmo by `bench/elmo_peer.py`.
"""

import numpy as np
import pytest

from petitions.encoders.characters import BOS, EOS, to_character_ids
from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_options import ElmoOptions

OPTIONS = ElmoOptions(
    character_dim=16, filters=((1, 16), (2, 32), (3, 64), (5, 64)), n_highway=2, projection_dim=64, lstm_dim=256
)
SENTENCES = [
    ["학교", "급식", "을", "개선", "해", "주", "세요", "."],
    ["가"],
    [*["버스", "노선", "Network", "을"] * 6, "!"],
]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def spell(weights, ids):
    """Character ids [C] of one token to its vector [P]."""
    table = np.vstack([np.zeros(OPTIONS.character_dim), weights["char_embed"]])
    characters = table[ids]  # [C, E]
    pooled = []
    for i, (width, _) in enumerate(OPTIONS.filters):
        kernel, bias = weights[f"CNN/W_cnn_{i}"][0], weights[f"CNN/b_cnn_{i}"]  # [w, E, n], [n]
        windows = np.stack([characters[t : t + width] for t in range(len(ids) - width + 1)])
        pooled.append(np.maximum(np.einsum("twe,wen->tn", windows, kernel).max(axis=0) + bias, 0))
    x = np.concatenate(pooled)
    for i in range(OPTIONS.n_highway):
        carry = sigmoid(x @ weights[f"CNN_high_{i}/W_carry"] + weights[f"CNN_high_{i}/b_carry"])
        transform = np.maximum(x @ weights[f"CNN_high_{i}/W_transform"] + weights[f"CNN_high_{i}/b_transform"], 0)
        x = carry * transform + (1 - carry) * x
    return x @ weights["CNN_proj/W_proj"] + weights["CNN_proj/b_proj"]


def run_lstm(weights, name, inputs):
    """One projected LSTM over inputs [T, P]."""
    cell, projected = np.zeros(OPTIONS.lstm_dim), np.zeros(OPTIONS.projection_dim)
    outputs = []
    for x in inputs:
        gates = np.concatenate([x, projected]) @ weights[f"{name}/W_0"] + weights[f"{name}/B"]
        input_gate, candidate, forget_gate, output_gate = np.split(gates, 4)
        cell = sigmoid(forget_gate + 1) * cell + sigmoid(input_gate) * np.tanh(candidate)
        cell = np.clip(cell, -OPTIONS.cell_clip, OPTIONS.cell_clip)
        hidden = sigmoid(output_gate) * np.tanh(cell)
        projected = np.clip(hidden @ weights[f"{name}/W_P_0"], -OPTIONS.proj_clip, OPTIONS.proj_clip)
        outputs.append(projected)
    return np.array(outputs)


def read_layers(weights, sentence):
    """All layers [L + 1, T, 2P] of one sentence."""
    tokens = np.array([spell(weights, ids) for ids in to_character_ids(sentence, OPTIONS.max_characters)])
    directions = []
    for direction in range(2):
        layers = [tokens[::-1] if direction else tokens]
        for i in range(OPTIONS.n_layers):
            name = f"RNN_{direction}/RNN/MultiRNNCell/Cell{i}/LSTMCell"
            outputs = run_lstm(weights, name, layers[-1])
            layers.append(outputs + layers[-1] if i else outputs)  # the skip connection is over the first LSTM
        directions.append([layer[::-1] for layer in layers] if direction else layers)
    return np.array([np.concatenate(pair, axis=-1) for pair in zip(*directions, strict=True)])


@pytest.mark.slow
def test_every_layer_is_that_of_the_equations_to_a_hundred_thousandth_beside_padding_and_with_the_marks():
    network = ElmoNetwork(OPTIONS)
    rng = np.random.default_rng(0)
    weights = {}
    for name, variable in network.weights_by_name().items():
        weights[name] = rng.normal(0, 0.1, variable.shape)
        variable.assign(weights[name])
        weights[name] = variable.numpy().astype(np.float64)
    sentences = [[BOS, *sentence, EOS] for sentence in SENTENCES]
    lengths = np.array([len(sentence) for sentence in sentences])
    tokens = np.zeros((len(sentences), lengths.max() + 3, OPTIONS.projection_dim), np.float32)
    for row, sentence in zip(tokens, sentences, strict=True):
        row[: len(sentence)] = network.characters(to_character_ids(sentence, OPTIONS.max_characters))

    found, _ = network(tokens, lengths)

    for row, sentence in enumerate(sentences):
        expected = read_layers(weights, sentence)
        np.testing.assert_allclose(found[row, :, : len(sentence)], expected, rtol=0, atol=1e-5)
        assert np.abs(expected).max() > 0.1
