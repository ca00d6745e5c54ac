"""Is there an accelerator? Asked without TensorFlow, whose import alone costs seconds."""

import os
from pathlib import Path

TPU_DEVICE_FILES = ("accel*", "vfio/[0-9]*")  # under /dev; how a TPU virtual machine shows its chips
GPU_DEVICE_FILES = ("nvidia[0-9]*", "kfd", "dxg")  # NVIDIA's, AMD's, and both under Windows


def may_have_tpu() -> bool:
    """Whether there are traces of a TPU; asking TensorFlow costs seconds and warnings where there is none."""
    return "TPU_NAME" in os.environ or _has_device(TPU_DEVICE_FILES)


def ask_no_cloud_without_tpu() -> None:
    """Where there are no traces of a TPU, keep libtpu from asking a cloud's metadata about it, which takes minutes.

    It asks when TensorFlow is imported: call this before.
    """
    if not may_have_tpu():
        os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")


def runs_on_cpu(accelerator: str) -> bool:
    """Whether the setting means the CPU: it says so, or it is `auto` and there are no traces of another."""
    return accelerator == "cpu" or (accelerator == "auto" and not may_have_tpu() and not _has_device(GPU_DEVICE_FILES))


def _has_device(patterns: tuple[str, ...]) -> bool:
    return any(any(Path("/dev").glob(pattern)) for pattern in patterns)
