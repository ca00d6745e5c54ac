"""Our BERT beside PyTorch's, on the real weights: the largest difference and the ratio of speeds.

    /path/to/python-with-torch bench/bert_parity.py [folder] [texts]

The interpreter needs torch, transformers and safetensors (not in requirements.txt: nothing else of the project needs
PyTorch); it starts the project's own .venv for our side. Both run on two threads, ours under XLA as in production, over
the same sentences of KorSTS padded to one shape, in turns; the best of five rounds counts.
"""

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
ROUNDS = 5
THREADS = 2
LENGTH = 64


def read_texts(n_texts: int) -> list[str]:
    path = SHARED / "data/eval/korsts-dev.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return ["query: " + row[5] for row in rows[:n_texts]]


def time_rounds(compute) -> tuple[np.ndarray, float]:
    compute()  # compiles
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        hidden = compute()
        seconds.append(time.perf_counter() - start)
    return hidden, min(seconds)


def compute_ours(folder: Path, texts: list[str]) -> tuple[np.ndarray, np.ndarray, float]:
    sys.path.insert(0, str(ROOT / "include"))
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    from petitions.encoders.bert import build_bert
    from petitions.encoders.bert_checkpoint import name_backbone, read_checkpoint
    from petitions.encoders.hub import load_tokenizer

    checkpoint = read_checkpoint(folder)
    bert, _, _ = build_bert(checkpoint.size)
    checkpoint.fill(name_backbone(bert))
    frame = load_tokenizer(folder)(texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="np")
    ids, mask = (tf.constant(frame[key], tf.int32) for key in ("input_ids", "attention_mask"))
    forward = tf.function(lambda ids, mask: bert(ids, tf.zeros_like(ids), mask), jit_compile=True)
    hidden, seconds = time_rounds(lambda: forward(ids, mask).numpy())
    return hidden, mask.numpy(), seconds


def compute_theirs(folder: Path, texts: list[str]) -> tuple[np.ndarray, np.ndarray, float]:
    import torch
    from transformers import AutoTokenizer, BertModel

    torch.set_num_threads(THREADS)
    model = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32).eval()
    frame = AutoTokenizer.from_pretrained(folder)(
        texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
    )
    inputs = {"input_ids": frame["input_ids"], "attention_mask": frame["attention_mask"]}
    with torch.inference_mode():
        hidden, seconds = time_rounds(lambda: model(**inputs).last_hidden_state.numpy())
    return hidden, frame["attention_mask"].numpy(), seconds


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "models/multilingual-e5-small-ko"
    n_texts = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    texts = read_texts(n_texts)
    if "PARITY_OUTPUT" in os.environ:
        hidden, mask, seconds = compute_ours(folder, texts)
        np.savez(os.environ["PARITY_OUTPUT"], hidden=hidden, mask=mask, seconds=seconds)
        return
    output = ROOT / ".local/bert_parity.npz"
    output.parent.mkdir(exist_ok=True)
    command = [str(ROOT / ".venv/bin/python"), __file__, str(folder), str(n_texts)]
    subprocess.run(command, check=True, env=os.environ | {"PARITY_OUTPUT": str(output), "TF_CPP_MIN_LOG_LEVEL": "2"})
    ours = np.load(output)
    hidden, mask, seconds = compute_theirs(folder, texts)
    assert (mask == ours["mask"]).all(), "the two tokenizers disagree"
    difference = np.abs(hidden - ours["hidden"])[mask == 1].max()
    n_tokens = mask.size
    print(f"{n_texts} texts of {LENGTH} tokens, padding included, {THREADS} threads")
    print(f"largest difference of a hidden state: {difference:.2e}")
    print(f"ours {n_tokens / ours['seconds']:.0f} tokens/s, PyTorch {n_tokens / seconds:.0f} tokens/s")
    print(f"ours / PyTorch: {seconds / ours['seconds']:.2f} times as fast")


if __name__ == "__main__":
    main()
