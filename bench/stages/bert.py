"""Vectors of petitions by one BERT: ours beside transformers' TensorFlow, sentence-transformers and ONNX Runtime.

All read the same texts, cut at the network's positions, by the same weights, tokenizing included; the mean of the last
hidden states, of unit length. Peers take batches of 32, the longest first. Base is klue/bert-base's shape with random
weights, which are as fast as real ones.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.stage import Arguments, Contestant, Stage
from stages.tokens import read_normalized

BATCH = 32
REFERENCE = "sentence-transformers, PyTorch"
Call = Callable[[int], dict[str, Any]]
EXPORT = "import sys; sys.path.insert(0, sys.argv[1]); from stages.bert import export_onnx; export_onnx(*sys.argv[2:])"


@contextmanager
def write_model(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """The texts, the folder of the weights, and its network as ONNX where the environment of the peers is there."""
    import peers
    from bert_engines import make_base

    from petitions.settings import MODELS

    model = make_base(folder / "base") if size["is_base"] else MODELS / "sentence-small"
    texts = read_normalized(("2019-08",))[: size["n"]]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    python = peers.find_python("torch")
    if python.exists():
        bench = Path(__file__).parents[1]
        subprocess.run(
            [python, "-c", EXPORT, bench, model, folder / "peer.onnx"], check=True, stdout=subprocess.DEVNULL
        )
    yield {**size, "n": len(texts), "folder": str(folder), "model": str(model)}


def export_onnx(model_folder: str, output: str) -> None:
    """What the peers' users do: PyTorch's own export."""
    import torch
    from transformers import AutoTokenizer, BertModel

    model = BertModel.from_pretrained(model_folder, add_pooling_layer=False, dtype=torch.float32).eval()
    example = AutoTokenizer.from_pretrained(model_folder)(["학교 앞 신호등", "버스"], padding=True, return_tensors="pt")

    class Hidden(torch.nn.Module):
        """The last hidden states alone."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    axes = {name: {0: "B", 1: "T"} for name in ("input_ids", "attention_mask")}
    names = {"input_names": list(axes), "output_names": ["hidden"], "dynamic_axes": axes, "opset_version": 17}
    inputs = (example["input_ids"], example["attention_mask"])
    torch.onnx.export(Hidden().eval(), inputs, output, dynamo=False, **names)


def keep(make_embed: Callable[[Arguments], Callable[[list[str]], Any]]) -> Callable[[Arguments], Call]:
    """A maker that warms up over all texts, and writes its vectors for the judge."""

    def make(arguments: Arguments) -> Call:
        import hashlib

        import numpy as np

        texts = json.loads(Path(arguments["folder"], "texts.json").read_text("utf-8"))
        embed = make_embed(arguments)
        name = hashlib.sha256(arguments["name"].encode()).hexdigest()[:12]
        np.save(Path(arguments["folder"], f"{name}.npy"), np.asarray(embed(texts), np.float32))

        def call(_: int) -> dict[str, Any]:
            embed(texts)
            return {}

        return call

    return make


def judge(folder: Path, arguments: Arguments) -> dict[str, dict[str, Any]]:
    """The largest difference of a number, and the mean cosine, with sentence-transformers' vectors."""
    import hashlib

    import numpy as np

    paths = {item.name: folder / f"{hashlib.sha256(item.name.encode()).hexdigest()[:12]}.npy" for item in CONTESTANTS}
    vectors = {name: np.load(path) for name, path in paths.items() if path.exists()}
    if REFERENCE not in vectors:
        return {}
    wanted = vectors[REFERENCE]
    return {
        name: {
            "largest difference": float(np.abs(rows - wanted).max()),
            "mean cosine": round(float((rows * wanted).sum(axis=1).mean()), 6),
        }
        for name, rows in vectors.items()
    }


def make_ours(arguments: Arguments) -> Callable[[list[str]], Any]:
    from petitions.encoders.bert_encoder import load_bert
    from petitions.encoders.windows import to_unit_length

    bert = load_bert(arguments["model"], "cpu", cpu_engine=arguments["engine"])

    def embed(texts: list[str]) -> Any:  # one window of each: the peers read no second one
        windows = [bert.frame(pieces[: bert.n_positions - 2]) for pieces in bert.encode_pieces(texts)]
        return to_unit_length(bert._compute("vectors", windows, 4096))

    return embed


def _in_batches(arguments: Arguments, compute: Callable[[Any, Any], Any]) -> Callable[[list[str]], Any]:
    """Tokenize, sort by length, pad to the longest of a batch, and pool."""
    import numpy as np
    from transformers import AutoTokenizer

    positions = json.loads(Path(arguments["model"], "config.json").read_text("utf-8"))["max_position_embeddings"]
    tokenizer = AutoTokenizer.from_pretrained(arguments["model"])

    def embed(texts: list[str]) -> Any:
        ids = tokenizer(texts, truncation=True, max_length=positions)["input_ids"]
        order = sorted(range(len(ids)), key=lambda index: -len(ids[index]))
        rows: list[Any] = [None] * len(ids)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            batch = tokenizer.pad({"input_ids": [ids[index] for index in chosen]}, return_tensors="np")
            hidden, mask = compute(batch["input_ids"], batch["attention_mask"]), batch["attention_mask"][:, :, None]
            pooled = (hidden * mask).sum(axis=1) / mask.sum(axis=1)
            for index, row in zip(chosen, pooled / np.linalg.norm(pooled, axis=1, keepdims=True), strict=True):
                rows[index] = row
        return np.array(rows, np.float32)

    return embed


def load_tensorflow(folder: str) -> Any:
    """By transformers 4.57, the last with TensorFlow; its own reader takes no `safe_open` of today's safetensors."""
    import os

    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    from safetensors.numpy import load_file
    from transformers import BertConfig, TFBertModel
    from transformers.modeling_tf_pytorch_utils import load_pytorch_state_dict_in_tf2_model

    model = TFBertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False)
    weights = {name: row.astype("float32") for name, row in load_file(Path(folder, "model.safetensors")).items()}
    return load_pytorch_state_dict_in_tf2_model(model, weights)


def make_tensorflow(arguments: Arguments) -> Callable[[list[str]], Any]:
    """Eager, as the study note calls it."""
    model = load_tensorflow(arguments["model"])
    return _in_batches(
        arguments,
        lambda ids, mask: model(input_ids=ids, attention_mask=mask, training=False).last_hidden_state.numpy(),
    )


def make_sentences(arguments: Arguments) -> Callable[[list[str]], Any]:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    positions = json.loads(Path(arguments["model"], "config.json").read_text("utf-8"))["max_position_embeddings"]
    part = Transformer(arguments["model"], max_seq_length=positions, model_args={"dtype": torch.float32})
    width = part.auto_model.config.hidden_size
    model = SentenceTransformer(modules=[part, Pooling(width)], device="cpu")
    return lambda texts: model.encode(texts, batch_size=BATCH, normalize_embeddings=True)


def make_onnx(arguments: Arguments) -> Callable[[list[str]], Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(Path(arguments["folder"], "peer.onnx")), providers=["CPUExecutionProvider"]
    )
    return _in_batches(arguments, lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0])


EMBEDS = {"ours": make_ours, "tensorflow": make_tensorflow, "sentences": make_sentences, "onnx": make_onnx}
MAKERS = {name: keep(make) for name, make in EMBEDS.items()}
CONTESTANTS = (
    Contestant(name="ours, as chosen on this machine", maker="ours", arguments={"engine": "auto"}),
    Contestant(name="ours, ONNX float32", maker="ours", arguments={"engine": "onnxruntime"}),
    Contestant(name="transformers 4.57, TensorFlow eager", maker="tensorflow", environment="tensorflow"),
    Contestant(name=REFERENCE, maker="sentences", environment="torch"),
    Contestant(name="ONNX Runtime, PyTorch's export", maker="onnx", environment="torch"),
)
NOTE = "Largest difference and cosine are with sentence-transformers' vectors. OpenVINO: bench/bert_engines.py."
STAGES = {
    "bert": Stage(
        title="BERT, the weights that ship (4 layers of 384)",
        module="bert",
        unit="petitions",
        contestants=CONTESTANTS,
        sizes={"full": {"n": 64, "rounds": 5, "is_base": False}, "quick": {"n": 16, "rounds": 3, "is_base": False}},
        prepare=write_model,
        judge=judge,
        note=NOTE,
    ),
    "bert-base": Stage(
        title="BERT, klue/bert-base's shape (12 layers of 768), random weights",
        module="bert",
        unit="petitions",
        contestants=CONTESTANTS,
        sizes={"full": {"n": 6, "rounds": 5, "is_base": True}},
        prepare=write_model,
        judge=judge,
        note=NOTE,
    ),
}
