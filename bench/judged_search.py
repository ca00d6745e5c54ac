"""Search and the nearest petition as a reader judges them, beside plain words, over one published database, in one run.

    PYTHONPATH=include python bench/judged_search.py [--list FILE]

Asked are the questions of bench/judged/questions.tsv (set, question), and the petition most like each of
bench/judged/nearest.txt, 40 that were drawn by a seed among those that nothing was mended on. Ways: what is served; the
same by words alone (weight of vectors 0); plain words: BM25 (k1 1.5, b 0.75) and TF-IDF by cosine, over the nouns,
numbers and Latin words of Mecab, title and body as one text. Labels stand in bench/judged/labels.jsonl (what was asked,
petition found, label), without a text. What has no label yet is written to FILE, all ways mixed and in an order by
chance, for a reader to judge who cannot know the way; a line of the answer is NUMBER LABEL. `--take FILE ANSWERS` puts
them to the labels.
"""

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sqlalchemy import Connection, text

from petitions.commands.search import make_answer
from petitions.records import Source
from petitions.settings import Settings
from petitions.store.database import open_engine
from petitions.store.readers import Filters
from petitions.text.tokenizer import Tokenizer

JUDGED = Path(__file__).parent / "judged"
K = 5
GOOD = ("yes", "same", "related")
NEAREST = text("SELECT petition_id FROM petitions.similar_petitions(:id, 1, vector_weight => :weight)")
Found = dict[str, dict[str, list[str]]]  # what was asked -> way -> petitions, the best first
Labels = dict[tuple[str, str], str]  # (what was asked, petition found) -> yes, no, same, related or wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="bluehouse")
    parser.add_argument("--list", type=Path, help="write what has no label here")
    parser.add_argument("--take", type=Path, nargs=2, help="the list, and the labels by number")
    args = parser.parse_args()
    if args.take:
        take(*args.take)
        return
    labels = read_labels()
    sets = [line.split("\t") for line in (JUDGED / "questions.tsv").read_text("utf-8").splitlines()]
    with open_engine(Settings.from_env().database_url).connect() as conn:
        query = "SELECT petition_id, title, body FROM petitions.current_petition WHERE source = :source ORDER BY 1"
        rows = conn.execute(text(query), {"source": args.source}).all()
        texts = {row.petition_id: (row.title, row.body) for row in rows}
        words = dict(zip(texts, map(split_plain, texts.values()), strict=True))
        questions = search(conn, Source(args.source), [question for _, question in sets], words)
        nearest = find_nearest(conn, (JUDGED / "nearest.txt").read_text("utf-8").split(), words)
    if args.list:
        write_list({**questions, **nearest}, labels, texts, args.list)
        return
    count_search(questions, labels, "all")
    for name in dict.fromkeys(name for name, _ in sets):
        count_search({question: questions[question] for of, question in sets if of == name}, labels, name)
    count_nearest(nearest, labels)


_TOKENIZER = Tokenizer()


def split_plain(parts: Iterable[str]) -> list[str]:
    """Nouns, numbers and Latin words as Mecab has them."""
    tagged = (item for part in parts for line in part.splitlines() for item in _TOKENIZER.tag(line))
    return [surface.upper() for surface, tag, _ in tagged if tag.startswith("NN") or tag in ("NR", "SL", "SN")]


def search(conn: Connection, source: Source, asked: Sequence[str], words: dict[str, list[str]]) -> Found:
    """The first five of each way."""
    filters = Filters(source=source)
    served = make_answer(conn, filters, K)(asked)
    conn.execute(text("UPDATE petitions.encoder_weight SET search_weight = 0"))
    by_words = make_answer(conn, filters, K)(asked)
    conn.rollback()
    plain = Bm25(words)
    return {
        question: {
            "served": [row["petition_id"] for row in ours],
            "words alone": [row["petition_id"] for row in alone],
            "BM25": plain.find(split_plain([question])),
        }
        for question, ours, alone in zip(asked, served, by_words, strict=True)
    }


class Bm25:
    """Okapi BM25 as textbooks have it."""

    def __init__(self, words: dict[str, list[str]], k1: float = 1.5, b: float = 0.75) -> None:
        self.ids, self.counts = list(words), [Counter(item) for item in words.values()]
        lengths = np.array([len(item) for item in words.values()])
        self.k1, self.norms = k1, k1 * (1 - b + b * lengths / lengths.mean())
        self.held = Counter(word for counts in self.counts for word in counts)

    def find(self, asked: list[str]) -> list[str]:
        """The best K that have a word."""
        scores = np.zeros(len(self.ids))
        for word in set(asked) & set(self.held):
            rarity = math.log(1 + (len(self.ids) - self.held[word] + 0.5) / (self.held[word] + 0.5))
            n = np.array([counts[word] for counts in self.counts])
            scores += rarity * n * (self.k1 + 1) / (n + self.norms)
        return [self.ids[place] for place in np.argsort(-scores, kind="stable")[:K] if scores[place] > 0]


def find_nearest(conn: Connection, asked: Sequence[str], words: dict[str, list[str]]) -> Found:
    """The one most like each, by each way."""
    ids = list(words)
    matrix = TfidfVectorizer(analyzer=lambda item: item).fit_transform(words.values())
    found = {}
    for petition_id in asked:
        alike = (matrix @ matrix[ids.index(petition_id)].T).toarray().ravel()
        alike[ids.index(petition_id)] = -1
        served, alone = (
            conn.execute(NEAREST, {"id": petition_id, "weight": weight}).scalars().all() for weight in (None, 0)
        )
        found[petition_id] = {
            "served": list(served), "words alone": list(alone), "TF-IDF": [ids[int(alike.argmax())]],
        }  # fmt: skip
    return found


def read_labels() -> Labels:
    """The label of each petition found, by what was asked."""
    path = JUDGED / "labels.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {(asked, found): label for asked, found, label in map(json.loads, lines)}


def write_list(found: Found, labels: Labels, texts: dict[str, tuple[str, str]], path: Path) -> None:
    """Write what is to be judged, and beside it which is which."""
    chance, key = random.Random(5), []  # noqa: S311 - an order
    with path.open("w", encoding="utf-8") as file:
        for asked, ways in found.items():
            pool = sorted({one for ids in ways.values() for one in ids if (asked, one) not in labels})
            chance.shuffle(pool)
            if pool:
                title, body = texts.get(asked, (asked, ""))
                print(f"\n### {title}", f"|| {' '.join(body.split())[:200]}" if body else "", file=file)
            for one in pool:
                key.append((asked, one))
                print(f"[{len(key)}] {texts[one][0]} || {' '.join(texts[one][1].split())[:200]}", file=file)
    path.with_suffix(".key").write_text(json.dumps(key), encoding="utf-8")
    print(f"{len(key)} to judge")


def take(path: Path, answers: Path) -> None:
    """Put the labels of a list to the others."""
    key = json.loads(path.with_suffix(".key").read_text("utf-8"))
    given = {int(number): label for number, label in map(str.split, answers.read_text("utf-8").splitlines())}
    assert set(given) == set(range(1, len(key) + 1)), sorted(set(given) ^ set(range(1, len(key) + 1)))
    with (JUDGED / "labels.jsonl").open("a", encoding="utf-8") as file:
        for number, (asked, found) in enumerate(key, 1):
            print(json.dumps([asked, found, given[number]], ensure_ascii=False), file=file)


def count_search(found: Found, labels: Labels, name: str) -> None:
    """Print how many of the first five are relevant, and how many of the first ones, by way."""
    print(f"{name}: {len(found)} questions")

    def good(way: str, k: int) -> NDArray[np.int64]:
        return np.array([sum(labels[asked, one] in GOOD for one in ways[way][:k]) for asked, ways in found.items()])

    for way in next(iter(found.values())):
        five, first = good(way, K), good(way, 1)
        apart = [tell_difference(good("served", k) - of_way) for k, of_way in ((K, five), (1, first))]
        print(f"  {way}: {five.sum()} of {K * len(found)} (served {apart[0]}), first {first.sum()} (served {apart[1]})")


def count_nearest(found: Found, labels: Labels) -> None:
    """Print the labels of the nearest, by way; the difference is of those that are at least related."""
    print(f"nearest of {len(found)} petitions")
    for way in next(iter(found.values())):
        n = Counter(labels[asked, ways[way][0]] for asked, ways in found.items())
        apart = np.array(
            [
                (labels[asked, ways["served"][0]] in GOOD) - (labels[asked, ways[way][0]] in GOOD)
                for asked, ways in found.items()
            ]
        )
        told = f"{n['same']} same, {n['related']} related, {n['wrong']} wrong"
        print(f"  {way}: {told} (served, not wrong, {tell_difference(apart)})")


def tell_difference(apart: NDArray[np.int64]) -> str:
    """A sum of paired differences, and its standard error."""
    return f"{apart.sum():+d} ± {apart.std() * math.sqrt(len(apart)):.1f}"


if __name__ == "__main__":
    main()
