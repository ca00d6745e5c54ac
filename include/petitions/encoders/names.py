"""Where the weights of an encoder lie and how it is named: whatever decides its vectors is in the name.

Without TensorFlow: a worker that finds all work of an encoder done need not load it.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from petitions.encoders.model_files import READING_FILES, ModelFiles, fetch_model
from petitions.encoders.reading import read_reading
from petitions.encoders.tokenizer_files import read_json
from petitions.errors import WeightsError

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
OPTIONS_FILE = "options.json"
POOLING_FILE = "pooling.safetensors"  # of an ELMo, see `encoders.sif`
N_DIGITS = 12  # of a hash or commit, enough to tell weights apart


def name_bert(model: str, embedding_model: str = "", *, prompts: str = "", is_local: bool = False) -> str:
    """The name of a BERT by its folder or hub name, that of other weights for its vectors before it.

    Args:
        model: as `load_bert` takes it, like the others.
        embedding_model: of the vectors.
        prompts: of the model that gives the vectors.
        is_local: as `fetch_model` takes it.

    Raises:
        WeightsError: see `fetch_model`, `weight_files` and `read_reading`, as for other errors.
    """
    files = fetch_model(model, is_local=is_local)
    found = fetch_model(embedding_model, is_local=is_local) if embedding_model else files
    if name_encoder(found) == name_encoder(files):
        return name_encoder(files, prompts)
    return f"{name_encoder(found, prompts)}+{name_encoder(files)}"


def name_elmo(model: str) -> str:
    """The name of an ELMo: its folder, and the hash of weights, options and pooling; see `find_weights` for errors."""
    folder = Path(model)
    paths = [find_weights(folder), folder / OPTIONS_FILE, *folder.glob(POOLING_FILE)]
    return f"{folder.resolve().name}@{_hash(folder, paths)}"


def name_head(folder: Path) -> str:
    """The name of a stacked head: its folder, and the hash of its files; config.json holds the names of its encoders.

    Raises:
        WeightsError: it has no weights.
    """
    paths = [folder / "config.json", folder / WEIGHTS_FILE]
    if not paths[1].is_file():
        raise WeightsError(f"{folder} has no {WEIGHTS_FILE}")
    return f"{folder.resolve().name}@{_hash(folder, paths)}"


def name_encoder(files: ModelFiles, prompts: str = "") -> str:
    """Name a BERT: hub name and commit, or folder and hash of its weights, config, tokenizer, pooling and prompts.

    The name of a commit says the whole folder; what is read of it otherwise than as a plain BERT, or is read in its
    place, is hashed behind it.
    """
    reading = read_reading(files.folder, prompts).told
    if files.commit:
        suffix = f"-{hashlib.sha256(reading.encode()).hexdigest()[: N_DIGITS // 2]}" if reading else ""
        return f"{files.hub_name}@{files.commit[:N_DIGITS]}{suffix}"
    folder = files.folder
    paths = {path for pattern in READING_FILES for path in folder.glob(pattern) if path.is_file()}
    return f"{folder.resolve().name}@{_hash(folder, {*weight_files(folder), *paths}, prompts)}"


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights of a BERT.

    Raises:
        WeightsError: there are none in safetensors format.
    """
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    if (folder / INDEX_FILE).is_file():
        weight_map = read_json(folder / INDEX_FILE).get("weight_map")
        if not isinstance(weight_map, dict) or not all(isinstance(shard, str) for shard in weight_map.values()):
            raise WeightsError(f"{folder / INDEX_FILE} has no weight_map from tensors to files")
        paths = [folder / shard for shard in sorted(set(weight_map.values()))]
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


def hash_text(*texts: str) -> str:
    """One short hash of texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:N_DIGITS]


def _hash(folder: Path, paths: Iterable[Path], prompts: str = "") -> str:
    """One hash of files, by their names in the folder and what they hold, and of the prompts."""
    digest = hashlib.sha256(prompts.encode())
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
