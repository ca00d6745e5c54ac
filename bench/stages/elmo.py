"""Vectors of petitions by one ELMo of 512 cells, random weights: ours beside simple_elmo (TensorFlow 1, as bilm-tf).

Titles and the first 254 tokens of bodies, one vector each; simple_elmo takes batches of 32 and averages, ours weighs
the tokens besides. The difference is of every layer's states, over eight texts. The weights that ship would not be
equal work: where the projection is as wide as the cells, simple_elmo leaves it out, and its states are others.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.stage import Arguments, Contestant, Stage, data_files

N_PARITY = 8
PEER = "simple_elmo"


@contextmanager
def write_model(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """The tokens, and the weights as bilm-tf's files."""
    import elmo_peer

    elmo_peer.N_SPEED = size["n"]
    texts = elmo_peer._read_texts(data_files(("2019-08",))[0])
    elmo_peer._write_model(None, folder)
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    yield {**size, "n": len(texts), "folder": str(folder)}


def judge(folder: Path, arguments: Arguments) -> dict[str, dict[str, Any]]:
    """The largest difference of a number between the layers of both."""
    import elmo_peer

    if not (folder / "layers.npy").exists():
        return {}
    texts = json.loads((folder / "texts.json").read_text("utf-8"))
    return {PEER: {"largest difference of a layer": float(elmo_peer._compare(folder, texts[:N_PARITY]).max())}}


def make_ours(arguments: Arguments) -> Callable[[int], dict[str, Any]]:
    from petitions.encoders.elmo_encoder import load_elmo

    texts = json.loads(Path(arguments["folder"], "texts.json").read_text("utf-8"))
    encoder = load_elmo(arguments["folder"], "cpu")
    encoder.embed(texts)  # compiles every shape

    def call(_: int) -> dict[str, Any]:
        encoder.embed(texts)
        return {"tokens": sum(map(len, texts))}

    return call


def make_peer(arguments: Arguments) -> Callable[[int], dict[str, Any]]:
    import os

    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import numpy as np
    import tensorflow as tf
    from simple_elmo import ElmoModel
    from simple_elmo.elmo import weight_layers

    folder = arguments["folder"]
    texts = json.loads(Path(folder, "texts.json").read_text("utf-8"))
    model = ElmoModel()
    model.load(folder, max_batch_size=32)
    session = tf.compat.v1.Session().__enter__()
    # The first batch of a session: simple_elmo carries its states from batch to batch. It drops the two marks.
    op = model.sentence_embeddings_op["lm_embeddings"]
    session.run(tf.compat.v1.global_variables_initializer())
    ids = model.batcher.batch_sentences(texts[:N_PARITY])
    np.save(Path(folder, "layers.npy"), session.run(op, {model.sentence_character_ids: ids}))
    model.elmo_sentence_input = weight_layers("input", model.sentence_embeddings_op, use_layers="average")
    session.run(tf.compat.v1.global_variables_initializer())

    def call(_: int) -> dict[str, Any]:
        model.get_elmo_vector_average(texts, warmup=False, session=session)
        return {"tokens": sum(map(len, texts))}

    call(0)
    return call


MAKERS = {"ours": make_ours, "peer": make_peer}
STAGES = {
    "elmo": Stage(
        title="ELMo of 512 cells, random weights",
        module="elmo",
        unit="texts",
        contestants=(
            Contestant(name="ours", maker="ours"),
            Contestant(name=PEER, maker="peer", environment="tensorflow"),
        ),
        sizes={"full": {"n": 120, "rounds": 5}, "quick": {"n": 30, "rounds": 2}},
        prepare=write_model,
        judge=judge,
        note="With the weights that ship simple_elmo computes another network: it leaves out their projection.",
    )
}
