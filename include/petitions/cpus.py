"""The CPUs that this process may use (fewer than the machine has, where its container is bounded), and their kind."""

import os
from pathlib import Path

QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds allowed, and of how many
CPU_FILE = Path("/proc/cpuinfo")
FLAG_FIELDS = ("flags", "Features")  # x86-64, Arm


def count_cpus(quota_file: Path = QUOTA_FILE) -> int:
    """How many: those that the process may run on, and no more than its container's quota."""
    allowed = len(os.sched_getaffinity(0))
    if not quota_file.is_file():
        return allowed
    quota, period = quota_file.read_text(encoding="ascii").split()
    return allowed if quota == "max" else max(1, min(allowed, round(int(quota) / int(period))))


def read_cpu_flags(cpu_file: Path = CPU_FILE) -> frozenset[str]:
    """What the CPUs can do, in the kernel's words (`avx512_bf16`); none where it does not say."""
    if not cpu_file.is_file():
        return frozenset()
    for line in cpu_file.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in FLAG_FIELDS:
            return frozenset(value.split())
    return frozenset()
