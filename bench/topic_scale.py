"""Seconds and memory of a fit over one, 4, 16 and 32 times the three real months, beside tomotopy's plain sampler.

  PYTHONPATH=include python bench/topic_scale.py [--times 1 4 16 32] [--online]

Needs ../shared. Each fit runs in a process of its own, reads its tokens from a file in each pass, as it does from
Postgres, and tells its seconds (dictionary to coherence, shares of all petitions included) and the most memory that it
held (VmHWM). The peer is LDAModel of tomotopy, 1,000 iterations over the same pruned tokens at once. Prints Markdown.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import tomotopy
from topic_quality import SHARED, read_texts

from petitions.text.tokenizer import tokenize_many
from petitions.topics.corpus import BagStream, build_dictionary
from petitions.topics.lda import fit_topics
from petitions.topics.lda_settings import LdaSettings

MONTHS = ("2019-06", "2019-07", "2019-08")


class TokenFile:
    """The documents of a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[list[str]]:
        with self._path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 4, 16, 32])
    parser.add_argument("--online", action="store_true", help="fit by gensim's online engine as well")
    parser.add_argument("--fit", nargs=3, metavar=("ENGINE", "FILE", "TIMES"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.fit:
        fit(args.fit[0], TokenFile(Path(args.fit[1])))
        return
    print("| engine | times | petitions | tokens | seconds | MB | NPMI |\n|---|---|---|---|---|---|---|")
    engines = ["ours", *(["online"] if args.online else [])]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tokens.jsonl")
        texts = read_texts([SHARED / "data/bluehouse" / f"{month}.jsonl" for month in MONTHS])
        lines = [json.dumps(document) + "\n" for document in tokenize_many(texts)]
        path.write_text("".join(lines), encoding="utf-8")
        run("tomotopy", path, 1)
        for times in args.times:
            copies = lines * times
            random.Random(times).shuffle(copies)  # every so-many-th of a row of copies would be a few of them
            path.write_text("".join(copies), encoding="utf-8")
            for engine in engines:
                run(engine, path, times)


def run(engine: str, path: Path, times: int) -> None:
    subprocess.run([sys.executable, __file__, "--fit", engine, path, str(times)], check=True)


def fit(engine: str, documents: TokenFile) -> None:
    begin = time.perf_counter()
    npmi, (n_documents, n_tokens) = sample_plainly(documents) if engine == "tomotopy" else fit_ours(engine, documents)
    seconds = time.perf_counter() - begin
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak_kb = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    times = sys.argv[-1]
    print(
        f"| {engine} | {times} | {n_documents} | {n_tokens} | {seconds:.1f} | {peak_kb / 1024:.0f} | {npmi} |",
        flush=True,
    )


def fit_ours(engine: str, documents: TokenFile) -> tuple[str, tuple[int, int]]:
    found = fit_topics(documents, LdaSettings(max_sampled_tokens=0) if engine == "online" else LdaSettings())
    return f"{found.npmi:.3f}", (found.dictionary.num_docs, found.dictionary.num_pos)


def sample_plainly(documents: TokenFile) -> tuple[str, tuple[int, int]]:
    dictionary = build_dictionary(documents, no_below=10, no_above=0.2, max_terms=30_000)
    model = tomotopy.LDAModel(k=9, seed=1)
    for bag in BagStream(documents=documents, dictionary=dictionary, max_repeats=10**6):
        if bag:
            model.add_doc([str(term) for term, count in bag for _ in range(count)])
    model.train(1_000, workers=1)
    return "", (dictionary.num_docs, dictionary.num_pos)


if __name__ == "__main__":
    main()
