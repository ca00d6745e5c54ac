"""What a part of `encode` waits for in a worker that has imported the encoders beforehand, and in one that has not.

    PYTHONPATH=include .venv/bin/python bench/preload_gain.py [--rounds 5]

A Celery worker forks its tasks. Here a parent imports `petitions.encoders.preload`, as the tpu-worker does, or nothing
of it, and forks one child after the other; each loads BERT and ELMo of the settings and embeds a sentence. Told are, as
medians: seconds and CPU seconds from the fork to the last vector, what the parent holds, and what a child holds that it
does not share with its parent (USS). The parents take turns. Prints Markdown.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

SENTENCE = "학교 앞에 신호등을 세워 주세요"


def serve(*, is_preloaded: bool, rounds: int) -> None:
    """Be the parent: fork a child each time, and print what it took as a line of JSON."""
    import psutil

    from petitions.settings import Settings

    began = time.process_time()
    if is_preloaded:
        from petitions.encoders import preload

        assert preload.IS_LOADED, "only on a CPU"
    import_s, parent_mb = time.process_time() - began, psutil.Process().memory_full_info().uss / 2**20
    for _ in range(rounds):
        reader, writer = os.pipe()
        forked = time.monotonic()
        if os.fork() == 0:
            from petitions.steps.encoders import load_encoder

            for encoder in ("bert", "elmo"):
                load_encoder(encoder, Settings.from_env())[1]([SENTENCE])
            line = {
                "seconds": time.monotonic() - forked, "cpu_s": time.process_time(),
                "child_mb": psutil.Process().memory_full_info().uss / 2**20,
                "parent_mb": parent_mb, "import_s": import_s,
            }  # fmt: skip
            os.write(writer, json.dumps(line).encode())
            os._exit(0)
        os.wait()
        print(os.read(reader, 4096).decode(), flush=True)
        os.close(reader), os.close(writer)


def main() -> None:
    parser = argparse.ArgumentParser(description="What preloading saves")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parent", choices=["preloaded", "bare"], help="be one of the parents")
    chosen = parser.parse_args()
    if chosen.parent:
        serve(is_preloaded=chosen.parent == "preloaded", rounds=chosen.rounds)
        return
    found: dict[str, list[dict[str, Any]]] = {"bare": [], "preloaded": []}
    for _ in range(chosen.rounds):
        for parent, lines in found.items():
            command = [sys.executable, __file__, "--parent", parent, "--rounds", "1"]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            lines.append(json.loads(done.stdout))
    print("| worker | imports, CPU s | parent, MB | part: seconds | CPU s | its own, MB |\n|---|--:|--:|--:|--:|--:|")
    for parent, lines in found.items():
        names = ("import_s", "parent_mb", "seconds", "cpu_s", "child_mb")
        cells = " | ".join(f"{statistics.median(line[name] for line in lines):.1f}" for name in names)
        print(f"| {parent} | {cells} |")


if __name__ == "__main__":
    main()
