"""What a large encoder makes of texts: its folder and texts in, cached vectors out.

Vectors are computed chunk by chunk and kept as `NNNNN.npy` (float16) beside `texts.txt`, so that a stopped run goes on
where it was, and a training can begin with the chunks that are there.
"""

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.bert import build_bert
from petitions.encoders.bert_checkpoint import name_backbone, read_checkpoint
from petitions.encoders.dense import set_product_dtype
from petitions.encoders.device import multiplies_bfloat16, pick_strategy
from petitions.encoders.hub import load_tokenizer
from petitions.encoders.pooling import mean_pool
from petitions.errors import ConfigError

logger = logging.getLogger(__name__)

CHUNK = 2048  # texts in a file
PREFIX = "query: "  # what the e5 family wants before a text that is compared with others of its kind
MAX_TOKENS = 96  # a longer text is cut: its vector is a target for training, not one that is shown
BATCH_TOKENS = 2048
MULTIPLE = 4  # batches are padded to a multiple of so many tokens

Floats = npt.NDArray[np.float32]


class Teacher:
    """Holds the large network and its tokenizer."""

    def __init__(self, folder: Path, *, accelerator: str = "auto", is_exact: bool = False) -> None:
        """Load a BERT without heads.

        Unless it is to be exact it multiplies in bfloat16 where the device has such products, which turns its vectors
        by 1e-4 or so.
        """
        checkpoint = read_checkpoint(folder)
        self.strategy = pick_strategy(accelerator)
        with self.strategy.scope():
            self.bert, _, _ = build_bert(checkpoint.size)
        checkpoint.fill(name_backbone(self.bert))
        is_fast = multiplies_bfloat16(self.strategy) and not is_exact
        set_product_dtype([self.bert], tf.bfloat16 if is_fast else tf.float32)
        self.tokenizer = load_tokenizer(folder).backend_tokenizer
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.dimensions = checkpoint.size.hidden_size

    def embed(self, texts: Sequence[str]) -> Floats:
        """Mean of the last hidden states, not scaled: float32 [N, D] in the order of `texts`."""
        encodings = self.tokenizer.encode_batch([PREFIX + text for text in texts])
        rows = [encoding.ids for encoding in encodings]
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        vectors = np.zeros((len(rows), self.dimensions), np.float32)  # [N, D]
        while order:
            longest = -(-len(rows[order[-1]]) // MULTIPLE) * MULTIPLE
            n_rows = max(1, BATCH_TOKENS // longest)
            order, chosen = order[:-n_rows], order[-n_rows:]
            token_ids = np.zeros((len(chosen), longest), np.int32)  # [B, T]
            mask = np.zeros_like(token_ids)  # [B, T]
            for row, index in enumerate(chosen):
                token_ids[row, : len(rows[index])] = rows[index]
                mask[row, : len(rows[index])] = 1
            vectors[chosen] = self.strategy.run(self._pool, args=(tf.constant(token_ids), tf.constant(mask))).numpy()
        return vectors

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)] * 2)
    def _pool(self, token_ids: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return mean_pool(self.bert(token_ids, tf.zeros_like(token_ids), mask), mask)  # [B, D]


def compute_vectors(teacher: Teacher, texts: Sequence[str], cache: Path) -> None:
    """Compute the chunks of `texts` that `cache` lacks.

    Raises:
        ConfigError: the cache holds the vectors of other texts.
    """
    cache.mkdir(parents=True, exist_ok=True)
    listed = json.dumps(list(texts), ensure_ascii=False)
    path = cache / "texts.json"
    if not path.is_file():
        _write(path, listed.encode())
    elif _digest(path.read_bytes()) != _digest(listed.encode()):
        raise ConfigError(f"{cache} holds the vectors of other texts: name another folder, or delete it")
    for number, start in enumerate(range(0, len(texts), CHUNK)):
        chunk = cache / f"{number:05d}.npy"
        if not chunk.is_file():
            began = time.monotonic()
            vectors = teacher.embed(texts[start : start + CHUNK]).astype(np.float16)  # [C, D]
            unfinished = chunk.with_suffix(".part")
            with unfinished.open("wb") as file:
                np.save(file, vectors)
            unfinished.replace(chunk)
            logger.info("%d of %d texts, %.0f s", start + len(vectors), len(texts), time.monotonic() - began)


def read_vectors(cache: Path) -> tuple[list[str], Floats]:
    """The texts whose vectors are there, and these: float32 [N, D], less their mean and of unit length.

    The mean is what all texts have in common; with it, even unrelated texts of the e5 family have a cosine of 0.7.

    Raises:
        ConfigError: there are none.
    """
    chunks = sorted(cache.glob("[0-9]*.npy"))
    # Chunks are computed in order, so that those which are there belong to the first texts.
    if not chunks or [chunk.stem for chunk in chunks] != [f"{number:05d}" for number in range(len(chunks))]:
        raise ConfigError(f"{cache} holds no vectors from the first text on")
    vectors = np.concatenate([np.load(chunk) for chunk in chunks]).astype(np.float32)  # [N, D]
    texts = json.loads((cache / "texts.json").read_text(encoding="utf-8"))[: len(vectors)]
    vectors -= vectors.mean(axis=0)
    return texts, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
