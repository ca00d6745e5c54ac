"""The ONNX graph of a network, written once beside its weights, and read from there by every later process.

A file is named by the weights (and the version of this export) and by the hash of what it holds: one that is damaged,
or of other weights, is never taken, and two processes that write at once write the same file under the same name.
"""

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from petitions.encoders.bert_shapes import backbone_shapes, masked_lm_shapes, next_sentence_shapes
from petitions.encoders.engine import Network
from petitions.encoders.onnx_engine import LOAD_ERRORS, OnnxEngine
from petitions.errors import ConfigError

logger = logging.getLogger(__name__)

VERSION = 1  # of the graph; another one makes other files
PREFIX = ".engine"  # of the names of files: hidden, and ignored by git
N_DIGITS = 16
MAX_BYTES = 2_000_000_000  # what one protobuf message holds


def load_onnx(network: Network, *, is_int8: bool = False) -> OnnxEngine:
    """Make the engine of a network, from its export where there is one.

    Raises:
        WeightsError: a weight is missing, of another shape, or not finite.
        ConfigError: the network is larger than an ONNX file can be.
    """
    kind = f"{PREFIX}-{'int8' if is_int8 else 'float32'}"
    prefix = f"{kind}-{network.key}-v{VERSION}"
    for path in _find_exports(network, prefix):
        try:
            return OnnxEngine(network, path, is_int8=is_int8)
        except LOAD_ERRORS as error:  # of another version of ONNX Runtime, perhaps
            logger.warning("%s cannot be loaded, so it is made anew: %s", path, error)
    graph = _export(network, is_int8=is_int8)
    if folder := find_folder(network):
        name = f"{prefix}-{hashlib.sha256(graph).hexdigest()[:N_DIGITS]}.onnx"
        for outdated in folder.glob(f"{kind}-*.onnx"):
            if outdated.name != name:
                outdated.unlink(missing_ok=True)
        write_whole(folder / name, graph)
        logger.info("wrote %s, %d bytes", folder / name, len(graph))
    return OnnxEngine(network, graph, is_int8=is_int8)


def is_too_large(network: Network) -> bool:
    """Whether one file of ONNX cannot hold the weights, as float32."""
    return sum(tensor.size for tensor in network.checkpoint.tensors.values()) * 4 > MAX_BYTES


def find_folder(network: Network) -> Path | None:
    """Where the export of a network is written: beside its weights, else in the user's cache; None: nowhere."""
    return next((folder for folder in _folders(network) if _can_be_written(folder)), None)


def find_file(network: Network, name: str) -> Path | None:
    """A file beside the export of a network."""
    return next((folder / name for folder in _folders(network) if (folder / name).is_file()), None)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that others may read at the same time: they see the old one or the new one."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _folders(network: Network) -> tuple[Path, Path]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return network.checkpoint.folder, cache / "petition-topics" / network.key


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _find_exports(network: Network, prefix: str) -> Iterator[Path]:
    """The exports of a network that hold what their name says."""
    for folder in _folders(network):
        for path in sorted(folder.glob(f"{prefix}-*.onnx")):
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()[:N_DIGITS]
            if path.stem.endswith(found):
                yield path
            else:
                logger.warning("%s is damaged, so it is made anew", path)


def _export(network: Network, *, is_int8: bool) -> bytes:
    from petitions.encoders.onnx_graph import build_graph  # needs onnx, which an export that is there does without

    checkpoint = network.checkpoint
    shapes = backbone_shapes(checkpoint.size)
    heads = (
        masked_lm_shapes(checkpoint.size),
        next_sentence_shapes(checkpoint.size, is_segment_match=checkpoint.has_segment_match),
    )
    for head in heads:
        shapes |= head if head.keys() <= checkpoint.tensors.keys() else {}
    tensors = {name: checkpoint.take(name, shape) for name, shape in shapes.items()}
    n_bytes = sum(tensor.nbytes for tensor in tensors.values())
    if n_bytes > MAX_BYTES:
        raise ConfigError(f"{checkpoint.folder} has {n_bytes} bytes of weights, an ONNX file holds {MAX_BYTES}")
    model = build_graph(checkpoint.size, tensors, pooling=network.pooling, is_int8=is_int8)
    written: bytes = model.SerializeToString(deterministic=True)
    return written
