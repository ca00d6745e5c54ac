"""The CPUs that this process may use: fewer than the machine has, where its container is bounded."""

import os
from pathlib import Path

QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds allowed, and of how many


def count_cpus(quota_file: Path = QUOTA_FILE) -> int:
    """How many: those that the process may run on, and no more than its container's quota."""
    allowed = len(os.sched_getaffinity(0))
    if not quota_file.is_file():
        return allowed
    quota, period = quota_file.read_text(encoding="ascii").split()
    return allowed if quota == "max" else max(1, min(allowed, round(int(quota) / int(period))))
