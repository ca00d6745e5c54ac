"""The accelerator that encoders and training run on: in goes the setting, out comes a TensorFlow strategy."""

import logging
import os
from functools import cache

import tensorflow as tf

from petitions.cpus import count_cpus, read_cpu_flags
from petitions.encoders.accelerator import may_have_tpu
from petitions.encoders.quiet_start import quiet_start
from petitions.errors import ConfigError
from petitions.settings import ACCELERATORS

logger = logging.getLogger(__name__)

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # the last is Arm's
BFLOAT16_CAPABILITY = (8, 0)  # of NVIDIA's GPUs: from Ampere on


class _ExpectedTracing(logging.Filter):
    """Drops TensorFlow's warning of frequent tracing: the encoders trace once for each of a few lengths, by design."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()


logging.getLogger("tensorflow").addFilter(_ExpectedTracing())


@cache
def pick_strategy(accelerator: str) -> tf.distribute.Strategy:
    """Choose where the tensors live; one answer a process, since initializing a TPU twice wipes what is on it.

    Args:
        accelerator: "tpu", "gpu" or "cpu", which must be there, or "auto", the first of the three that is there.
            A TPU is the one that TPU_NAME names (TensorFlow's own variable), else the one of this machine.

    Raises:
        ConfigError: an unknown name, or the named accelerator is missing.
    """
    if accelerator not in ACCELERATORS:
        raise ConfigError(f"accelerator must be one of {', '.join(ACCELERATORS)}, got {accelerator!r}")
    with quiet_start():
        return _pick(accelerator)


def _pick(accelerator: str) -> tf.distribute.Strategy:
    if accelerator == "tpu":
        return _connect_tpu()
    if accelerator == "gpu":
        return _mirror_gpus()
    if accelerator == "auto":
        if may_have_tpu():
            return _connect_tpu()  # a TPU that is there and does not answer is an error, not a reason to go slow
        if tf.config.list_physical_devices("GPU"):
            return _mirror_gpus()
        logger.info("no TPU and no GPU found: TensorFlow runs on the CPU")
    tf.config.list_physical_devices()  # here, where it is quiet
    return tf.distribute.OneDeviceStrategy("/cpu:0")


def describe_strategy(strategy: tf.distribute.Strategy) -> str:
    """What computes, in words: "2 GPUs", "the processor (16 cores)"."""
    devices = strategy.extended.worker_devices
    kind = devices[0].rpartition("device:")[2].partition(":")[0]
    if kind == "CPU":
        return f"the processor ({count_cpus()} cores); no TPU and no GPU is used"
    return f"{len(devices)} {kind}{'s' if len(devices) > 1 else ''}"


def multiplies_bfloat16(strategy: tf.distribute.Strategy) -> bool:
    """Whether the device has products of bfloat16 of its own: elsewhere they are slower than those of float32."""
    device = strategy.extended.worker_devices[0]
    kind = device.rpartition("device:")[2].partition(":")[0]
    if kind == "TPU":
        return True
    if kind == "GPU":
        gpus = tf.config.list_physical_devices("GPU")
        found = [tf.config.experimental.get_device_details(gpu).get("compute_capability") for gpu in gpus]
        return all(capability is not None and capability >= BFLOAT16_CAPABILITY for capability in found)
    return not BFLOAT16_FLAGS.isdisjoint(read_cpu_flags())


def _connect_tpu() -> tf.distribute.Strategy:
    name = os.environ.get("TPU_NAME", "local")
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect(name)
    except (ValueError, tf.errors.OpError) as error:
        first_line = str(error).splitlines()[0][:200]
        raise ConfigError(f"PETITIONS_ACCELERATOR asks for a TPU, but {name!r} gives none: {first_line}") from error
    return tf.distribute.TPUStrategy(resolver)


def _mirror_gpus() -> tf.distribute.Strategy:
    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        raise ConfigError("PETITIONS_ACCELERATOR is gpu, but TensorFlow sees no GPU on this machine")
    if len(gpus) == 1:
        return tf.distribute.OneDeviceStrategy("/gpu:0")
    return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus])
