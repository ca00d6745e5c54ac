"""What reading a long petition in windows gains over its beginning alone, and what windows that overlap would add.

    PYTHONPATH=include:bench python bench/long_petitions.py [-n 200] [--months 2019-06 2019-07 2019-08] [--overlap]

A title is to find its own body among N bodies of over 2,000 characters, drawn by a seed: mean reciprocal rank and first
places of each way to make one vector of the vectors of a body's windows, with the standard error of the difference to
what ships. Title and body are vectors of their own here, as nothing is stored; weights and engine are the settings'.
"""

import argparse
import random
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from stages.stage import data_files

from petitions.encoders.bert_encoder import BATCH_TOKENS, BertEncoder, load_bert
from petitions.encoders.windows import to_unit_length
from petitions.settings import Settings
from petitions.text.normalize import normalize_text
from petitions.training.sources import read_rows

LEAST = 2000  # characters
SEED = 17
Floats = NDArray[np.float32]
Join = Callable[[Floats, NDArray[np.int64]], Floats]  # [W, D] and [W] tokens to one or more [*, D]

JOINS: dict[str, Join] = {
    "the first window (truncation)": lambda vectors, _: vectors[:1],
    "the first two, by their tokens": lambda vectors, n: _mean(vectors[:2], n[:2]),
    "all, by their tokens (ships)": lambda vectors, n: _mean(vectors, n),
    "all, each counting the same": lambda vectors, _: _mean(vectors, np.ones(len(vectors), np.int64)),
    "the first and the last, by their tokens": lambda vectors, n: _mean(
        vectors[[0, -1]] if len(vectors) > 1 else vectors, n[[0, -1]] if len(vectors) > 1 else n
    ),
    "all, the best window alone": lambda vectors, _: vectors,
}
SHIPS = "all, by their tokens (ships)"


def _mean(vectors: Floats, weights: NDArray[np.int64]) -> Floats:
    return np.average(vectors, axis=0, weights=weights)[np.newaxis].astype(np.float32)


def cut(pieces: Sequence[int], longest: int, shared: float) -> list[list[int]]:
    """Windows of so many pieces, each of which begins in the last `shared` of the one before."""
    step = longest - int(longest * shared)
    starts = range(0, max(len(pieces) - (longest - step), 1), step)
    return [list(pieces[start : start + longest]) for start in starts]


def rank(titles: Floats, bodies: Sequence[Floats]) -> NDArray[np.float64]:
    """1 / the rank of each title's own body by the best of its vectors."""
    scores = np.stack([(titles @ to_unit_length(body).T).max(axis=1) for body in bodies], axis=1)  # [N, N]
    own = np.diag(scores)[:, np.newaxis]
    ranks: NDArray[np.float64] = 1 / (scores >= own).sum(axis=1)
    return ranks


def measure(bert: BertEncoder, pieces: Sequence[Sequence[int]], titles: Floats, shared: float) -> None:
    """Print each way's figures for windows that share so much."""
    longest = bert.n_positions - 2
    windows = [cut(whole, longest, shared) for whole in pieces]
    framed = [bert.frame(window) for parts in windows for window in parts]
    ends = np.cumsum([len(parts) for parts in windows])
    vectors = bert._compute("vectors", framed, BATCH_TOKENS)  # noqa: SLF001 - of windows, before they are joined
    of_bodies = np.split(vectors, ends[:-1])
    n_of = np.split(np.array([len(window.token_ids) for window in framed]), ends[:-1])
    print(
        f"\nwindows that share {shared:.0%}: {ends[-1]}\n\n| what of the body is read | MRR | first | less than ships |"
    )
    print("|---|--:|--:|--:|")
    found = {
        name: rank(titles, [join(body, n) for body, n in zip(of_bodies, n_of, strict=True)])
        for name, join in JOINS.items()
    }
    for name, ranks in found.items():
        apart = found[SHIPS] - ranks
        error = apart.std() / np.sqrt(len(apart))
        print(f"| {name} | {ranks.mean():.3f} | {(ranks == 1).mean():.3f} | {apart.mean():+.3f} ± {error:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--months", nargs="+", default=["2019-06", "2019-07", "2019-08"])
    parser.add_argument("--overlap", action="store_true", help="windows that share a quarter and a half too")
    args = parser.parse_args()
    rows = [row for path in data_files(args.months) for row in read_rows(path)]
    texts = [(normalize_text(str(row["title"])).text, normalize_text(str(row["content"])).text) for row in rows]
    long = [pair for pair in texts if len(pair[1]) > LEAST]
    chosen = random.Random(SEED).sample(long, min(args.n, len(long)))  # noqa: S311 - a draw
    settings = Settings.from_env()
    bert = load_bert(settings.embedding_model, settings.accelerator)
    pieces = bert.encode_pieces([body for _, body in chosen])
    print(f"{bert.name}, {bert.engine}: {len(chosen)} of {len(long)} bodies over {LEAST} characters, median", end=" ")
    print(f"{int(np.median([len(whole) for whole in pieces]))} pieces")
    titles = bert.embed([title for title, _ in chosen])
    for shared in (0.0, 0.25, 0.5) if args.overlap else (0.0,):
        measure(bert, pieces, titles, shared)


if __name__ == "__main__":
    main()
