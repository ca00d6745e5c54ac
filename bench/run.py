"""Ours and its peers over the same work, stage by stage: `python bench/run.py [full|quick] [STAGE ...]`.

Each contestant is a process of its own, in the environment of its peer where it needs one (bench/peers.py makes
them), so that its memory and CPU seconds are its own; all of a stage take turns, and a ratio is of one round. A stage's
figures are a file of JSON in .local/bench/MODE; one that is there already, whole and of this commit, is not run again
(--again runs it). What fails is told by name in the table. `full` writes docs/benchmarks.md and docs/benchmarks.json,
`quick` the same into its folder. Only a machine that is idle otherwise gives times worth keeping.
"""

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peers
from bench_table import render
from compare import take_turns
from machine import describe_machine, name_commit
from stages.stage import Contestant, Stage

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".local" / "bench"
MODULES = ("crawl", "tokens", "topics", "bert", "elmo", "store", "search", "whole")
FULL, QUICK = "full", "quick"
Row = dict[str, Any]


class ContestantError(Exception):
    """A contestant's process ended, with the last line that it said."""


def find_error(said: str) -> str:
    """The line that names the error, of all that a process wrote; the last one where none does."""
    lines = said.strip().splitlines() or [""]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit|Failed|Interrupt)\b", line)]
    return (named or lines)[-1][:300]


class Worker:
    """The process of one contestant; see bench/worker.py."""

    def __init__(self, stage: Stage, contestant: Contestant, arguments: Mapping[str, Any], errors: Path) -> None:
        self.name, self._errors = contestant.name, errors
        python = peers.find_python(contestant.environment)
        if not python.exists():
            raise ContestantError(f"the environment {contestant.environment} is missing: make bench-peers")
        environ = dict(os.environ)
        if contestant.environment != "ours":
            environ.pop("PYTHONPATH", None)
        given = json.dumps({**arguments, **contestant.arguments, "name": contestant.name})
        command = [python, ROOT / "bench/worker.py", stage.module, contestant.maker, given]
        with errors.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environ
            )
        try:
            self._hear()
        except ContestantError:
            self.close()
            raise

    def call(self, number: int) -> Row:
        """One turn."""
        assert self._process.stdin
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        row: Row = self._hear()
        return row

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _hear(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            said = find_error(self._errors.read_text("utf-8", errors="replace"))
            raise ContestantError(said or f"ended with status {self._process.returncode}")
        return json.loads(line)


def choose_sizes(stage: Stage, args: argparse.Namespace) -> Row:
    """The sizes of the mode, and those that the flags set in their place."""
    flags = {name: value for name in ("n", "rounds") if (value := getattr(args, name))}
    return {**stage.sizes[args.mode], **flags}


def run_stage(stage: Stage, sizes: Row) -> Row:
    """Run a stage; gives what is written of it."""
    size = dict(sizes)
    rounds, began = size.pop("rounds"), time.monotonic()
    rows: dict[str, Row] = {item.name: {"name": item.name, "turns": []} for item in stage.contestants}
    with ExitStack() as kept:
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        arguments = kept.enter_context(stage.prepare(size, folder))
        workers = {}
        for number, item in enumerate(stage.contestants):
            try:
                workers[item.name] = Worker(stage, item, arguments, folder / f"{number}.log")
                kept.callback(workers[item.name].close)
            except ContestantError as error:
                rows[item.name]["failed"] = str(error)

        def ask(name: str, number: int) -> None:
            if "failed" not in rows[name]:
                try:
                    take_in(rows, name, workers[name].call(number))
                except ContestantError as error:
                    rows[name]["failed"] = str(error)

        take_turns({name: lambda number, name=name: ask(name, number) for name in workers}, rounds)
        judged = stage.judge(folder, dict(arguments)) if stage.judge else {}
    for name, figures in judged.items():
        rows[name].setdefault("figures", {}).update(figures)
    return {
        "title": stage.title, "unit": stage.unit, "n": arguments["n"], "rounds": rounds, "note": stage.note,
        "rows": list(rows.values()), "took_s": round(time.monotonic() - began), "sizes": sizes,
    }  # fmt: skip


def take_in(rows: dict[str, Row], name: str, turn: Row) -> None:
    """Add a turn, and those of other rows that the same call gave (`also`)."""
    figures = turn.pop("figures")
    for other, told in figures.pop("also", {}).items():
        rows.setdefault(other, {"name": other, "turns": []})["turns"].append({"peak_mb": turn["peak_mb"], **told})
    rows[name]["turns"].append(turn)
    rows[name].setdefault("figures", {}).update(figures)


def load_stages(mode: str = FULL) -> dict[str, Stage]:
    """The stages of a mode, in the order of the table; the full one has them all."""
    found = [importlib.import_module(f"stages.{module}").STAGES for module in MODULES]
    return {name: stage for stages in found for name, stage in stages.items() if mode in stage.sizes}


def run_all(args: argparse.Namespace) -> None:
    """Run the stages that are not there yet, each in a process of its own, so that one that breaks stops no other."""
    folder, stages, commit = FOLDER / args.mode, load_stages(args.mode), name_commit()
    folder.mkdir(parents=True, exist_ok=True)
    flags = [f"--{name}={value}" for name in ("n", "rounds") if (value := getattr(args, name))]
    for name in args.stages or stages:
        path = folder / f"{name}.json"
        kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
        is_same = kept.get("commit") == commit and kept.get("sizes") == choose_sizes(stages[name], args)
        if is_same and not args.again and not list_failures(kept):
            print(f"{name}: there already", flush=True)
            continue
        command = [sys.executable, __file__, args.mode, name, "--child", "--peers", str(peers.FOLDER), *flags]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            said = find_error(done.stderr) or f"ended with status {done.returncode}"
            result = {"title": stages[name].title, "broken": said}
        else:
            result = json.loads(done.stdout.splitlines()[-1])
        result |= {"commit": commit, "at": datetime.now(UTC).isoformat("T", "seconds")}
        path.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
        told = "".join(f"\n  failed: {line}" for line in list_failures(result))
        print(f"{name}: {result.get('took_s', '')} s{told}", flush=True)


def list_failures(result: Row) -> list[str]:
    """What failed in a stage, by name."""
    broken = [result["broken"]] if "broken" in result else []
    return broken + [f"{row['name']}: {row['failed']}" for row in result.get("rows", ()) if "failed" in row]


def read_growth(path: Path) -> Row:
    """The series of nights, without the machine, which is told once."""
    rows = json.loads(path.read_text("utf-8"))
    return {n: {name: value for name, value in row.items() if name != "machine"} for n, row in rows.items()}


def write_tables(mode: str) -> Path:
    """Write the table of all stages that are there; of the full run into docs."""
    folder = ROOT / "docs" if mode == FULL else FOLDER / mode
    paths = {name: FOLDER / mode / f"{name}.json" for name in load_stages(mode)}
    results = {name: json.loads(path.read_text("utf-8")) for name, path in paths.items() if path.exists()}
    quality, growth = FOLDER / "quality.json", FOLDER / "night-growth.json"
    told = {
        "mode": mode, "machine": describe_machine(), "stages": results,
        "missing": sorted(paths.keys() - results.keys()),
        "growth": read_growth(growth) if growth.exists() else None,
        "quality": json.loads(quality.read_text("utf-8")) if quality.exists() else None,
    }  # fmt: skip
    output = folder / "benchmarks.json" if mode == FULL else folder / "all.json"
    output.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    table = folder / "benchmarks.md"
    table.write_text(render(told), encoding="utf-8")
    return table


def main() -> None:
    stages = load_stages()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=[FULL, QUICK])
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(stages)}; all without any")
    parser.add_argument("--again", action="store_true", help="run what is there already")
    parser.add_argument("--n", type=int, help="of what each stage does, in place of the mode's number")
    parser.add_argument("--rounds", type=int, help="of turns, in place of the mode's number")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tables", action="store_true", help="only write the tables again")
    parser.add_argument("--peers", type=Path, default=peers.FOLDER, help="where their environments are")
    args = parser.parse_args()
    if unknown := set(args.stages) - load_stages(args.mode).keys():
        parser.error(f"no stage {', '.join(sorted(unknown))} in {args.mode}: {', '.join(load_stages(args.mode))}")
    peers.FOLDER = args.peers.resolve()
    os.environ["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in ("include", "plugins", "tests", "bench"))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if args.child:
        print("\n" + json.dumps(run_stage(stages[args.stages[0]], choose_sizes(stages[args.stages[0]], args))))
        return
    if not args.tables:
        if missing := peers.install(peers.FOLDER):
            print(f"did not install: {', '.join(missing)}", flush=True)
        run_all(args)
    print(write_tables(args.mode))


if __name__ == "__main__":
    main()
