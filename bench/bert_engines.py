"""Tokens a second of our CPU engines beside sentence-transformers, PyTorch, ONNX Runtime and OpenVINO, in turns.

  PYTHONPATH=include python bench/bert_engines.py --python /tmp/engines/bin/python [--data ../shared/data] [--texts 40]

Real petitions (title and body, cut at the network's positions or at `--tokens`), the same weights, tokens and threads
for all, in one run: each round lets every engine embed all texts once, tokenizing included, after a warm-up on the
first two. What all rounds give so far is printed after each. Two networks: the one that ships, and
klue/bert-base's shape (12 x 768, 32,000 pieces, 512 positions) with random weights, which are as fast as real ones.
Printed: medians over the rounds of tokens a second of the processor's time and of the wall's, with the least and the
most; each as a ratio to sentence-transformers of the same round; and the mean cosine with PyTorch's vectors.

The peers' Python needs torch, sentence-transformers, openvino, onnx, onnxscript and onnxruntime.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PEER_BATCH = 32
WARM_TEXTS = 2
BASE = {
    "model_type": "bert", "architectures": ["BertModel"], "hidden_act": "gelu", "vocab_size": 32000, "pad_token_id": 0,
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
    "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
}  # fmt: skip


def make_base(folder: Path) -> Path:
    from safetensors.numpy import save_file

    from petitions.encoders.bert_config import read_size
    from petitions.encoders.bert_shapes import backbone_shapes
    from petitions.settings import MODELS

    folder.mkdir()
    for path in (MODELS / "sentence-small").glob("tokenizer*"):
        (folder / path.name).write_bytes(path.read_bytes())
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    pieces = tokenizer["model"]["vocab"]
    pieces |= {f"[unused{number}]": number for number in range(len(pieces), BASE["vocab_size"])}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    (folder / "config.json").write_text(json.dumps(BASE))
    random = np.random.default_rng(0)
    tensors = {}
    for name, shape in backbone_shapes(read_size(folder)).items():
        drawn = random.standard_normal(shape, np.float32) * 0.05
        tensors[name] = drawn + 1 if name.endswith("LayerNorm.weight") else drawn
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def read_limit(folder: Path, tokens: int | None) -> int:
    positions = json.loads((folder / "config.json").read_text())["max_position_embeddings"]
    return min(positions, tokens or positions)


def make_ours(folder: Path, limit: int) -> dict[str, Callable[[list[str]], np.ndarray]]:
    from petitions.encoders import engine_choice
    from petitions.encoders.bert_checkpoint import read_checkpoint
    from petitions.encoders.bert_encoder import load_bert
    from petitions.encoders.engine import Network
    from petitions.encoders.engine_choice import FLOAT32, INT8, TENSORFLOW
    from petitions.encoders.names import hash_text
    from petitions.encoders.windows import to_unit_length

    bert = load_bert(str(folder), "cpu")
    key = hash_text(bert.name, "mean")
    network = Network(checkpoint=read_checkpoint(folder), key=key, pooling="mean", pad_id=0)
    engines = {
        f"ours, {FLOAT32}": engine_choice._load_onnx(network),
        f"ours, {INT8}": engine_choice._load_onnx(network, is_int8=True),
        f"ours, {TENSORFLOW}": engine_choice._load_tensorflow(network, "cpu"),
    }

    def embed(engine, texts: list[str]) -> np.ndarray:
        windows = [bert.frame(pieces[: limit - 2]) for pieces in bert.encode_pieces(texts)]
        return to_unit_length(engine.compute("vectors", windows, 4096))

    return {name: lambda texts, engine=engine: embed(engine, texts) for name, engine in engines.items()}


def make_peers(folder: Path, threads: int, limit: int) -> dict[str, Callable[[list[str]], np.ndarray]]:
    import onnxruntime
    import openvino
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from transformers import AutoTokenizer, BertModel

    torch.set_num_threads(threads)
    model = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    part = Transformer(str(folder), max_seq_length=limit, model_args={"dtype": torch.float32})
    sentences = SentenceTransformer(modules=[part, Pooling(model.config.hidden_size)], device="cpu")

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            hidden = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
            return (hidden * weight).sum(1) / weight.sum(1)

    pooled = Pooled().eval()
    example = tokenizer(["학교 앞 신호등", "버스"], padding=True, return_tensors="pt")
    inputs = (example["input_ids"], example["attention_mask"])
    exported = Path(tempfile.mkdtemp()) / "peer.onnx"
    axes = {name: {0: "B", 1: "T"} for name in ("input_ids", "attention_mask")}
    names = {"input_names": list(axes), "output_names": ["vectors"], "dynamic_axes": axes, "opset_version": 17}
    torch.onnx.export(pooled, inputs, str(exported), dynamo=False, **names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(exported), options, providers=["CPUExecutionProvider"])

    def compile_openvino(precision: str):
        config = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision}
        return openvino.Core().compile_model(openvino.convert_model(str(exported)), "CPU", config)

    exact, half = compile_openvino("f32"), compile_openvino("bf16")

    def embed(texts: list[str], call) -> np.ndarray:
        ids = tokenizer(texts, truncation=True, max_length=limit)["input_ids"]
        order = sorted(range(len(ids)), key=lambda index: -len(ids[index]))
        rows = np.zeros((len(ids), model.config.hidden_size), np.float32)
        for start in range(0, len(order), PEER_BATCH):
            chosen = order[start : start + PEER_BATCH]
            batch = tokenizer.pad({"input_ids": [ids[index] for index in chosen]}, return_tensors="np")
            rows[chosen] = call(batch["input_ids"], batch["attention_mask"])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def call_torch(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return pooled(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()

    def call_session(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return session.run(None, {"input_ids": ids, "attention_mask": mask})[0]

    return {
        "sentence-transformers": lambda texts: sentences.encode(
            texts, batch_size=PEER_BATCH, normalize_embeddings=True
        ),
        "PyTorch": lambda texts: embed(texts, call_torch),
        "ONNX Runtime": lambda texts: embed(texts, call_session),
        "OpenVINO float32": lambda texts: embed(texts, lambda ids, mask: exact((ids, mask))[0]),
        "OpenVINO bfloat16": lambda texts: embed(texts, lambda ids, mask: half((ids, mask))[0]),
    }


def time_call(call: Callable[[list[str]], np.ndarray], texts: list[str]) -> tuple[float, float, np.ndarray]:
    wall, processor = time.perf_counter(), time.process_time()
    rows = call(texts)
    return time.process_time() - processor, time.perf_counter() - wall, rows


def serve(folder: Path, threads: int, limit: int) -> None:
    """What the peers' Python runs: names of engines come in by lines, times go out."""
    texts = json.loads(sys.stdin.readline())
    answers, sys.stdout = sys.stdout, sys.stderr
    peers = make_peers(folder, threads, limit)
    print(json.dumps(list(peers)), file=answers, flush=True)
    for line in sys.stdin:
        name, n_texts = json.loads(line)
        processor, wall, rows = time_call(peers[name], texts[:n_texts])
        print(json.dumps([processor, wall, rows.tolist()]), file=answers, flush=True)


def compare(folder: Path, texts: list[str], args: argparse.Namespace) -> None:
    limit = read_limit(folder, args.tokens)
    command = [args.python, __file__, "--serve", str(folder), "--threads", str(args.threads), "--tokens", str(limit)]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)

    def ask(name: str, n_texts: int) -> tuple[float, float, np.ndarray]:
        child.stdin.write(json.dumps([name, n_texts]) + "\n")
        child.stdin.flush()
        processor, wall, rows = json.loads(child.stdout.readline())
        return processor, wall, np.array(rows, np.float32)

    child.stdin.write(json.dumps(texts) + "\n")
    child.stdin.flush()
    peers = json.loads(child.stdout.readline())
    ours = make_ours(folder, limit)
    calls = {name: lambda n_texts, name=name: ask(name, n_texts) for name in peers}
    calls |= {name: lambda n_texts, call=call: time_call(call, texts[:n_texts]) for name, call in ours.items()}
    for call in calls.values():
        call(WARM_TEXTS)  # compiles and warms up
    vectors: dict[str, np.ndarray] = {}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    n_tokens = count_tokens(folder, texts, limit)
    for number in range(args.rounds):
        for name, call in calls.items():
            *seconds, vectors[name] = call(len(texts))
            times[name].append(tuple(seconds))
        print(f"{len(texts)} petitions, rounds: {number + 1}")  # all tell what the last tells, should it be stopped
        report(times, vectors, n_tokens)
    child.stdin.close()
    child.wait()


def count_tokens(folder: Path, texts: list[str], limit: int) -> int:
    from petitions.encoders.bert_encoder import load_bert

    bert = load_bert(str(folder), "cpu")
    return sum(min(len(pieces) + 2, limit) for pieces in bert.encode_pieces(texts))


def report(times: dict[str, list[tuple[float, float]]], vectors: dict[str, np.ndarray], n_tokens: int) -> None:
    peer = np.array(times["sentence-transformers"])
    print(
        f"{n_tokens} tokens; tokens/s of processor and of wall; times as fast as sentence-transformers, [least, most]"
    )
    for name, pairs in times.items():
        seconds = np.array(pairs)  # [rounds, 2]
        speed, ratio = n_tokens / np.median(seconds, axis=0), peer / seconds
        middle, least, most = np.median(ratio, axis=0), ratio.min(axis=0), ratio.max(axis=0)
        spread = "  ".join(f"{middle[i]:.2f} [{least[i]:.2f}, {most[i]:.2f}]" for i in range(2))
        cosine = (vectors[name] * vectors["PyTorch"]).sum(axis=1).mean()
        print(f"{name:28} {speed[0]:8.0f} {speed[1]:8.0f}  {spread}  cosine {cosine:.6f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="Python of the peers")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--texts", type=int, default=40)
    parser.add_argument("--base-texts", type=int, default=8, help="for the large network")
    parser.add_argument("--tokens", type=int, help="of a petition that are read; all that there are positions for")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--model", choices=["ships", "base", "both"], default="both")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.threads, args.tokens)
        return
    from petitions.settings import MODELS
    from petitions.text.normalize import normalize_text

    with (args.data / "bluehouse/2019-08.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [normalize_text(f"{row['title']}\n{row['content']}").text for row in rows[: args.texts]]
    if args.model != "base":
        print("sentence-small, 4 layers of 384")
        compare(MODELS / "sentence-small", texts, args)
    if args.model != "ships":
        print("klue/bert-base's shape, 12 layers of 768, random weights")
        with tempfile.TemporaryDirectory() as folder:
            compare(make_base(Path(folder) / "base"), texts[: args.base_texts], args)


if __name__ == "__main__":
    main()
