"""What the process of one contestant runs, under our Python or a peer's: `worker.py STAGE NAME ARGUMENTS`.

It makes the call of that name in bench/stages/STAGE.py, says `ready`, and calls it once for each line that comes in,
the number of the round. Each answer is a line of JSON: seconds, CPU seconds (children's too), the most memory that the
process, or one child of it, has had, and the figures that the call gave. Figures may give the seconds themselves where
a part of the call is no part of the work. Only the standard library, and what the stage asks for, is needed.
"""

import importlib
import json
import os
import re
import resource
import sys
import time
from pathlib import Path


def read_peak_mb() -> float:
    """The most memory of this process or of one child, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    own = int(found[1]) if found else 0
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def read_cpu_s() -> float:
    """CPU seconds of this process and of the children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    stage, name, given = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    sys.path.insert(0, str(Path(__file__).parent))
    call = importlib.import_module(f"stages.{stage}").MAKERS[name](json.loads(given))
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        cpu, began = read_cpu_s(), time.perf_counter()
        figures = call(int(line)) or {}
        told = {"seconds": time.perf_counter() - began, "cpu_s": read_cpu_s() - cpu}
        told = {key: figures.pop(key, value) for key, value in told.items()}
        print(json.dumps({**told, "peak_mb": read_peak_mb(), "figures": figures}), file=answers, flush=True)


if __name__ == "__main__":
    main()
