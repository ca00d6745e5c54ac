"""Where the weights of an encoder lie and how it is named: whatever decides its vectors is in the name.

Without TensorFlow: a worker that finds all work of an encoder done need not load it.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from petitions.encoders.hub import READING_FILES, ModelFiles, fetch_model
from petitions.errors import WeightsError

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
OPTIONS_FILE = "options.json"
N_DIGITS = 12  # of a hash or commit, enough to tell weights apart


def name_bert(model: str, embedding_model: str = "") -> str:
    """The name of a BERT by its folder or hub name, that of other weights for its vectors before it.

    See `fetch_model` and `weight_files` for what is raised.
    """
    names = [name_encoder(fetch_model(name)) for name in (embedding_model, model) if name]
    return "+".join(dict.fromkeys(names))


def name_elmo(model: str) -> str:
    """The name of an ELMo: its folder, and the hash of weights and options; see `find_weights` for what is raised."""
    folder = Path(model)
    return f"{folder.resolve().name}@{_hash(folder, [find_weights(folder), folder / OPTIONS_FILE])}"


def name_encoder(files: ModelFiles) -> str:
    """Name a BERT: hub name and commit, or folder and hash of its weights, config, tokenizer, pooling and prompts."""
    if files.commit:
        return f"{files.hub_name}@{files.commit[:N_DIGITS]}"
    folder = files.folder
    reading = {path for pattern in READING_FILES for path in folder.glob(pattern) if path.is_file()}
    return f"{folder.resolve().name}@{_hash(folder, {*weight_files(folder), *reading})}"


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights of a BERT.

    Raises:
        WeightsError: there are none in safetensors format.
    """
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    if (folder / INDEX_FILE).is_file():
        shards = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))["weight_map"].values()
        paths = [folder / shard for shard in sorted(set(shards))]
        absent = [path.name for path in paths if not path.is_file()]
        if absent:
            raise WeightsError(f"{folder} lacks {', '.join(absent)}, which {INDEX_FILE} names")
        return paths
    raise WeightsError(
        f"{folder} has no {WEIGHTS_FILE}; a pytorch_model.bin must be converted first (where PyTorch is: "
        f"BertForPreTraining.from_pretrained(folder).save_pretrained(folder))"
    )


def require_finite(values: NDArray[np.floating], of_what: str) -> None:
    """Refuse NaN and infinity, which would become zero vectors and scores that no JSON can tell.

    Raises:
        WeightsError: names what is not finite.
    """
    n_bad = values.size - int(np.isfinite(values).sum())
    if n_bad:
        raise WeightsError(f"{of_what}: {n_bad} of {values.size} values are not finite")


def find_weights(folder: Path) -> Path:
    """The file of weights in the folder of an ELMo.

    Raises:
        WeightsError: no such folder, no options.json, no weights, or several hdf5 files.
    """
    if not (folder / OPTIONS_FILE).is_file():
        raise WeightsError(f"{folder} holds no {OPTIONS_FILE}, so it is no ELMo")
    if (folder / WEIGHTS_FILE).is_file():
        return folder / WEIGHTS_FILE
    # What AllenNLP's tests keep beside their weights is hdf5 too, but no weights.
    found = [path for path in sorted(folder.glob("*.hdf5")) if "embeddings" not in path.name]
    if len(found) != 1:
        raise WeightsError(f"{folder} must hold {WEIGHTS_FILE} or one *.hdf5 of bilm-tf, found {len(found)} of these")
    return found[0]


def _hash(folder: Path, paths: Iterable[Path]) -> str:
    """One hash of files, by their names in the folder and what they hold."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        stat = path.stat()
        content = _hash_file(path.resolve(), stat.st_size, stat.st_mtime_ns)
        digest.update(f"{path.relative_to(folder)} {content}\n".encode())
    return digest.hexdigest()[:N_DIGITS]


@lru_cache(maxsize=256)
def _hash_file(path: Path, size: int, changed_ns: int) -> str:
    """The hash of one file; large weights are read once a process, as long as they stay what they were."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
