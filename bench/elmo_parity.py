"""How far our ELMo is from AllenNLP's: thirty sentences in batches of three, LSTM state carried from batch to batch.

    PYTHONPATH=include python bench/elmo_parity.py [../shared/models/elmo-test-allennlp]

Prints the largest absolute difference of the top layer's states; 1e-5 is the limit that the tests hold it to.
"""

import json
import sys
from pathlib import Path

import h5py
import numpy as np

from petitions.encoders.characters import BOS, EOS, to_character_ids
from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import assign_weights, find_weights, read_weights
from petitions.encoders.elmo_options import read_options

FOLDER = Path(__file__).parents[1].parent / "shared/models/elmo-test-allennlp"


def main(folder: Path) -> None:
    options = read_options(folder / "options.json")
    network = ElmoNetwork(options)
    assign_weights(network.weights_by_name(), read_weights(find_weights(folder)))
    columns = json.loads((folder / "sentences.json").read_text("utf-8"))  # three rows of a batch, ten sentences each
    states, largest, n_tokens = None, 0.0, 0
    expected_files = [h5py.File(folder / f"lm_embeddings_{row}.hdf5") for row in range(len(columns))]
    for number, batch in enumerate(zip(*columns, strict=True)):
        sentences = [[BOS, *text.split(), EOS] for text in batch]
        lengths = np.array([len(sentence) for sentence in sentences])
        tokens = np.zeros((len(batch), lengths.max(), options.projection_dim), np.float32)
        for row, sentence in zip(tokens, sentences, strict=True):
            row[: len(sentence)] = network.characters(to_character_ids(sentence, options.max_characters))
        layers, states = network(tokens, lengths, states)
        for row, (file, length) in enumerate(zip(expected_files, lengths, strict=True)):
            expected = np.concatenate(file[str(number)][...], axis=-1)  # [T, 2P]
            largest = max(largest, float(np.abs(layers[row, -1, 1 : length - 1] - expected).max()))
            n_tokens += len(expected)
    print(f"{n_tokens} tokens, largest absolute difference {largest:.2e}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
