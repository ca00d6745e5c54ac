"""Our ELMo beside simple_elmo (TensorFlow 1, as bilm-tf) at equal weights: parity of every layer, and speed.

    python bench/elmo_peer.py PEER_PYTHON [--model FOLDER] [--texts FILE]

PEER_PYTHON is the interpreter of an environment with simple_elmo, tensorflow and tf_keras. Without a model a random one
of 512 cells is written as bilm-tf's files. Texts are a .jsonl of petitions, by default invented sentences; the speed is
of their titles and the first 254 tokens of their bodies, in CPU seconds, and ours one sentence at a time as well.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from petitions.encoders.characters import BOS, EOS, to_character_ids
from petitions.encoders.elmo import ElmoNetwork
from petitions.encoders.elmo_checkpoint import assign_weights, read_weights, write_bilm_tf
from petitions.encoders.elmo_encoder import LONGEST_WINDOW, load_elmo
from petitions.encoders.elmo_options import ElmoOptions, read_options
from petitions.encoders.names import OPTIONS_FILE, find_weights
from petitions.sources.lines import read_lines
from petitions.text.tokenizer import Tokenizer

RANDOM = ElmoOptions()
N_PARITY = 8  # sentences of a batch whose layers are compared
N_SPEED = 200
PEER = """
import json, os, sys, time
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
from simple_elmo import ElmoModel
folder, n = sys.argv[1], int(sys.argv[2])
texts = json.load(open(folder + "/texts.json"))
model = ElmoModel(); model.load(folder, max_batch_size=32)
import tensorflow as tf
from simple_elmo.elmo import weight_layers
with tf.compat.v1.Session() as session:
    # The first batch of a session: simple_elmo carries its states from batch to batch. It drops the two marks.
    op = model.sentence_embeddings_op["lm_embeddings"]
    session.run(tf.compat.v1.global_variables_initializer())
    ids = model.batcher.batch_sentences(texts[:n])
    layers = session.run(op, {model.sentence_character_ids: ids})
    np.save(folder + "/layers.npy", layers)
    model.elmo_sentence_input = weight_layers("input", model.sentence_embeddings_op, use_layers="average")
    session.run(tf.compat.v1.global_variables_initializer())
    model.get_elmo_vector_average(texts[:64], warmup=False, session=session)
    begin, wall = time.process_time(), time.monotonic()
    model.get_elmo_vector_average(texts, warmup=False, session=session)
    print("PEER", time.process_time() - begin, time.monotonic() - wall)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--texts", type=Path)
    args = parser.parse_args()
    texts = _read_texts(args.texts)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_model(args.model, folder)
        (folder / "texts.json").write_text(json.dumps(texts))
        done = subprocess.run(  # noqa: S603 - the reader's own interpreter
            [args.peer, "-c", PEER, str(folder), str(N_PARITY)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        peer = done.stdout.split("PEER")[1].split()
        for layer, difference in enumerate(_compare(folder, texts[:N_PARITY])):
            print(f"layer {layer}: largest absolute difference {difference:.1e}")
        n_tokens = sum(map(len, texts))
        print(f"{len(texts)} texts, {n_tokens} tokens")
        print("simple_elmo, batches of 32: {:.1f} CPU s, {:.1f} s".format(*map(float, peer)), flush=True)
        encoder = load_elmo(str(folder), "cpu")
        encoder.embed([["가"] * 2 ** (power % 9) for power in range(200)])  # compiles every shape
        _time("ours", lambda: encoder.embed(texts))
        few = texts[:: len(texts) // 20]
        _time(f"ours, {len(few)} of them one at a time", lambda: [encoder.embed([text]) for text in few])
        _time("ours, the same at once", lambda: encoder.embed(few))


def _read_texts(path: Path | None) -> list[list[str]]:
    if path is None:
        rng = np.random.default_rng(0)
        words = ["학교", "급식", "을", "개선", "해", "주", "세요", ".", "버스", "노선", "Network", "국민", "여러분"]
        return [list(rng.choice(words, length)) for length in rng.integers(3, 250, N_SPEED)]
    tokenizer = Tokenizer()
    texts = [json.loads(line) for _, line in zip(range(N_SPEED // 2), read_lines(path), strict=False)]
    both = [tokenizer.morphemes(row[key]) for key in ("title", "content") for row in texts]
    return [tokens[: LONGEST_WINDOW - 2] for tokens in both if tokens]


def _write_model(model: Path | None, folder: Path) -> None:
    if model:
        write_bilm_tf(folder, read_options(model / OPTIONS_FILE), read_weights(find_weights(model)))
        return
    rng = np.random.default_rng(0)
    shapes = {name: variable.shape for name, variable in ElmoNetwork(RANDOM).weights_by_name().items()}
    write_bilm_tf(folder, RANDOM, {name: rng.normal(0, 0.05, shape) for name, shape in shapes.items()})


def _compare(folder: Path, texts: list[list[str]]) -> npt.NDArray[np.float64]:
    """The largest difference of each layer over all tokens, between the marks of a sentence and beside padding."""
    options = read_options(folder / OPTIONS_FILE)
    network = ElmoNetwork(options)
    assign_weights(network.weights_by_name(), read_weights(find_weights(folder)))
    sentences = [[BOS, *text, EOS] for text in texts]
    lengths = np.array([len(sentence) for sentence in sentences])
    tokens = np.zeros((len(sentences), lengths.max(), options.projection_dim), np.float32)
    for row, sentence in zip(tokens, sentences, strict=True):
        row[: len(sentence)] = network.characters(to_character_ids(sentence, options.max_characters))
    found = network(tokens, lengths)[0].numpy()  # [B, L + 1, T, 2P]
    expected = np.load(folder / "layers.npy")
    pairs = [(found[b, :, 1 : n - 1], expected[b, :, : n - 2]) for b, n in enumerate(lengths)]
    return np.max([np.abs(ours - theirs).max(axis=(1, 2)) for ours, theirs in pairs], axis=0)


def _time(what: str, run: Callable[[], object]) -> None:
    cpu, wall = time.process_time(), time.monotonic()
    run()
    print(f"{what}: {time.process_time() - cpu:.1f} CPU s, {time.monotonic() - wall:.1f} s", flush=True)


if __name__ == "__main__":
    main()
