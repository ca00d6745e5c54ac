"""Which engine computes a network: TensorFlow on accelerators; on a CPU what the setting says, or the fastest here.

The fastest is found once for a machine and weights, by some seconds of measuring, and kept beside the export.
"""

import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from petitions.cpus import count_cpus
from petitions.encoders.accelerator import runs_on_cpu
from petitions.encoders.engine import Engine, Floats, Network
from petitions.encoders.quiet_start import quiet_start
from petitions.encoders.sequences import TokenSequence
from petitions.encoders.windows import to_unit_length
from petitions.errors import ConfigError

if TYPE_CHECKING:
    from petitions.encoders.onnx_engine import OnnxEngine

logger = logging.getLogger(__name__)

PACKAGES = ("onnxruntime", "onnx")
FINDING_FILE = ".engine-fastest.json"
TENSORFLOW, FLOAT32, INT8 = "tensorflow", "onnxruntime float32", "onnxruntime int8"
MIN_COSINE = {FLOAT32: 0.9999, INT8: 0.995}  # with TensorFlow's vectors, on the mean
N_SEQUENCES, N_TOKENS = 8, 128  # of one measurement
ROUNDS = 3
MIN_GAIN = 1.05  # less is noise: the engine before it in the order of exactness stays


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was measured here, once."""

    machine: str  # hash of what the times depend on; another machine measures anew
    fastest: str
    tokens_per_s: Mapping[str, float]  # by engine
    cosine: Mapping[str, float]  # by engine, with TensorFlow's vectors, on the mean

    @property
    def told(self) -> str:
        """In plain words, for `petitions doctor`."""
        speeds = ", ".join(f"{name} {speed:,.0f}" for name, speed in self.tokens_per_s.items())
        return f"fastest here in tokens a second: {speeds}; mean cosine {self.cosine[self.fastest]:.4f} with TensorFlow"


def load_engine(network: Network, accelerator: str, cpu_engine: str) -> Engine:
    """Make the engine that the settings mean.

    Args:
        network: what it computes.
        accelerator: as `pick_strategy` takes it; where it means no CPU, TensorFlow computes whatever is said.
        cpu_engine: "tensorflow", "onnxruntime" (float32, the same vectors within 1e-5), or "auto": the fastest here.

    Raises:
        ConfigError: the accelerator or the package of the engine is missing, or the network is too large for ONNX.
        WeightsError: a weight is missing, of another shape, or not finite.
    """
    if cpu_engine == "tensorflow" or not runs_on_cpu(accelerator):
        return _load_tensorflow(network, accelerator)
    if missing := _missing_packages():
        if cpu_engine == "onnxruntime":
            raise ConfigError(f"PETITIONS_CPU_ENGINE is onnxruntime, but this package is missing: {', '.join(missing)}")
        logger.warning("%s missing: TensorFlow computes, which is slower", " and ".join(missing))
        return _load_tensorflow(network, accelerator)
    return _load_onnx(network) if cpu_engine == "onnxruntime" else _load_fastest(network, accelerator)


def _load_fastest(network: Network, accelerator: str) -> Engine:
    from petitions.encoders.onnx_export import find_file, find_folder, is_too_large, write_whole

    if is_too_large(network):
        return _load_tensorflow(network, accelerator)
    finding = _read_finding(find_file(network, FINDING_FILE))
    if finding is None:
        folder = find_folder(network)
        if folder is None:  # each process would measure anew, and perhaps find another one
            return _load_onnx(network)
        finding = measure_engines(network, accelerator)
        write_whole(folder / FINDING_FILE, json.dumps(asdict(finding), indent=1).encode())
        logger.info("%s is the %s", finding.fastest, finding.told)
    if finding.fastest == TENSORFLOW:
        engine = _load_tensorflow(network, accelerator)
    else:
        engine = _load_onnx(network, is_int8=finding.fastest == INT8)
    engine.told = f"{engine.told} ({finding.told})"
    return engine


def measure_engines(network: Network, accelerator: str) -> Finding:
    """Measure every engine on the same sequences in turns, and find the fastest whose vectors are TensorFlow's."""
    engines: dict[str, Engine] = {
        TENSORFLOW: _load_tensorflow(network, accelerator),
        FLOAT32: _load_onnx(network),
        INT8: _load_onnx(network, is_int8=True),
    }
    sequences = _sample_sequences(network)
    vectors = {name: _embed(engine, sequences) for name, engine in engines.items()}  # and compiles
    cosine = {name: float((rows * vectors[TENSORFLOW]).sum(axis=1).mean()) for name, rows in vectors.items()}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            start = time.perf_counter()
            _embed(engine, sequences)
            seconds[name].append(time.perf_counter() - start)
    speeds = {name: N_SEQUENCES * N_TOKENS / min(times) for name, times in seconds.items()}
    return Finding(
        machine=_describe_machine(), fastest=choose_fastest(speeds, cosine), tokens_per_s=speeds, cosine=cosine
    )


def choose_fastest(speeds: Mapping[str, float], cosine: Mapping[str, float]) -> str:
    """The fastest engine of those near enough to TensorFlow; one that is less exact must gain something."""
    fastest = TENSORFLOW
    for name, least in MIN_COSINE.items():
        if cosine[name] >= least and speeds[name] >= speeds[fastest] * MIN_GAIN:
            fastest = name
    return fastest


def _sample_sequences(network: Network) -> list[TokenSequence]:
    """Sequences of one length, the same in every process: pieces as they may stand in a text, drawn evenly."""
    size = network.checkpoint.size
    length = min(N_TOKENS, size.n_positions)
    ids = np.random.default_rng(0).integers(0, size.vocab_size, (N_SEQUENCES, length))
    return [TokenSequence(token_ids=row.tolist(), n_first=length) for row in ids]


def _embed(engine: Engine, sequences: list[TokenSequence]) -> Floats:
    return to_unit_length(engine.compute("vectors", sequences, N_SEQUENCES * N_TOKENS))


def _read_finding(path: Path | None) -> Finding | None:
    """What was found on this machine before; None: nothing, or by another one, or the file is damaged."""
    if path is None:
        return None
    try:
        finding = Finding(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        return None
    known = finding.fastest in finding.tokens_per_s and finding.fastest in finding.cosine
    return finding if known and finding.machine == _describe_machine() else None


@cache
def _describe_machine() -> str:
    """A hash of processor, number of CPUs and versions of the engines."""
    from petitions.encoders.onnx_export import VERSION

    path = Path("/proc/cpuinfo")
    told = path.read_text(encoding="utf-8") if path.is_file() else platform.processor()
    lines = {line for line in told.splitlines() if line.startswith(("model name", "flags", "Features"))}
    versions = [version(package) for package in ("tensorflow", *PACKAGES)]
    described = json.dumps([sorted(lines), count_cpus(), os.uname().machine, VERSION, versions])
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def _missing_packages() -> list[str]:
    missing = []
    for package in PACKAGES:
        try:
            version(package)
        except PackageNotFoundError:
            missing.append(package)
    return missing


# Each engine is imported where it is made: the other one's import is not paid for.
def _load_tensorflow(network: Network, accelerator: str) -> Engine:
    with quiet_start():
        from petitions.encoders.tensorflow_engine import TensorFlowEngine

    return TensorFlowEngine(network, accelerator)


def _load_onnx(network: Network, *, is_int8: bool = False) -> "OnnxEngine":
    from petitions.encoders.onnx_export import load_onnx

    return load_onnx(network, is_int8=is_int8)
