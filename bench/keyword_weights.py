"""What the weights of keywords are worth, set and measured: nouns of a title among five keywords of its body.

    PYTHONPATH=include python bench/keyword_weights.py [--shared ../shared] [--write]

For each of five months of the Blue House the weights are set on the other four (logistic regression: is the word, or a
noun in it, in the title?) with a table of frequencies that lacks the month, and measured on it beside TF-IDF over the
same nouns. `--write` sets them on all five, and writes the table of frequencies that ships; the weights are printed.
"""

import argparse
import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from petitions.sources.lines import read_lines
from petitions.text import frequencies, keywords
from petitions.text.frequencies import Frequencies
from petitions.text.keywords import WEIGHTS, Floats, describe_candidates, mend_phrases
from petitions.text.normalize import normalize_text
from petitions.text.noun_phrases import NounPhrase, find_phrases, mend_fragments
from petitions.text.tokenizer import Tokenizer, read_stopwords

MONTHS = [f"2019-0{month}" for month in range(4, 9)]
OTHERS = ("corpus/bluehouse_2020-01_05.jsonl.gz", "assembly/2020-01_2024-07.jsonl")
N_KEYWORDS = 5
FEWEST_TEXTS = 4  # a word of fewer is left out of the table: mostly misspellings, and names of people
NOUNS = frozenset({"NNG", "NNP", "SL", "인명"})
BLANKED = re.compile(r"\*+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A petition: the nouns of its title that its body has too, the phrases of both, and the nouns of its body."""

    month: str
    asked: frozenset[str]
    title: list[NounPhrase]
    body: list[NounPhrase]
    nouns: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    tokenizer, data = Tokenizer(), args.shared / "data"
    months = [item for month in MONTHS for item in read_documents(tokenizer, data / f"bluehouse/{month}.jsonl")]
    others = [item for name in OTHERS for item in read_documents(tokenizer, data / name)]
    for held in MONTHS:
        known, test = ([item for item in months if (item.month != held) == is_known] for is_known in (True, False))
        table = count_words([*known, *others])
        weights = set_weights(known, table)
        print(json.dumps({"month": held, "ours": measure(test, table, weights), "tf-idf": measure_plain(known, test)}))
    if args.write:
        table = count_words([*months, *others])
        write_table(table, Path(frequencies.__file__).with_name(frequencies.TABLE))
        print(json.dumps(dict(zip(WEIGHTS, set_weights(months, table).round(3).tolist(), strict=True)), indent=4))


def read_documents(tokenizer: Tokenizer, path: Path) -> list[Document]:
    """The petitions of a file that have a body."""
    rows = [json.loads(line) for line in read_lines(path)]
    found = []
    for row in rows:
        title, body = (normalize_text(BLANKED.sub(" ", row[name])).text for name in ("title", "content"))
        nouns = list_nouns(tokenizer, body)
        asked = frozenset(list_nouns(tokenizer, title)) & set(nouns)
        phrases = [find_phrases(tokenizer, text) for text in (title, body)]
        found.append(Document(month=row["begin"][:7], asked=asked, title=phrases[0], body=phrases[1], nouns=nouns))
    return [item for item in found if item.body]


def list_nouns(tokenizer: Tokenizer, text: str) -> list[str]:
    """The nouns that the tagger knows, not the tokens: 고등학교 is asked for as 고등 and 학교."""
    nouns = (surface.upper() for surface, tag, _ in tokenizer.tag(text) if tag in NOUNS and len(surface) > 1)
    ignored = read_stopwords()
    return [noun for noun in nouns if noun not in ignored]


def count_words(documents: Iterable[Document]) -> Frequencies:
    """In how many texts each word stands."""
    n_with, n_alone, n_texts = Counter[str](), Counter[str](), 0
    for n_texts, item in enumerate(documents, start=1):  # noqa: B007 - the last number is how many
        found = [*item.title, *item.body]
        phrases = mend_fragments(found, {phrase.word for phrase in found}, ())  # 공매 + 도 where 공매도 stands too
        n_alone.update({phrase.word for phrase in phrases})
        n_with.update({word for phrase in phrases for word in (phrase.word, *phrase.parts)})
    kept = {word: n for word, n in n_with.items() if n >= FEWEST_TEXTS}
    return Frequencies(n_texts=n_texts, n_with=kept, n_alone={word: n_alone[word] for word in kept})


def write_table(table: Frequencies, path: Path) -> None:
    rows = [f"{word}\t{n}\t{table.n_alone[word]}\n" for word, n in sorted(table.n_with.items())]
    data = f"{table.n_texts}\n{''.join(rows)}".encode()
    path.write_bytes(gzip.compress(data, mtime=0))  # the same bytes for the same words


def has_asked(words: Sequence[str], parts: dict[str, tuple[str, ...]], asked: frozenset[str]) -> list[float]:
    return [float(bool(asked & {word, *parts.get(word, ())})) for word in words]


def describe(item: Document, table: Frequencies) -> tuple[list[str], Floats, dict[str, tuple[str, ...]]]:
    phrases = mend_phrases(item.body, table)
    words, features = describe_candidates(phrases, table)
    return words, features, {phrase.word: phrase.parts for phrase in phrases}


def set_weights(documents: Sequence[Document], table: Frequencies) -> Floats:
    """Logistic regression by Newton's method, float64 [F]."""
    features, gold = [], []
    for item in documents:
        if item.asked:
            words, rows, parts = describe(item, table)
            features.append(rows)
            gold += has_asked(words, parts, item.asked)
    x, y = np.vstack(features), np.array(gold)
    weights = np.zeros(x.shape[1])
    for _ in range(12):
        p = 1 / (1 + np.exp(-(x @ weights)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.eye(x.shape[1])
        weights += np.linalg.solve(hessian, x.T @ (y - p) - weights)
    return weights


def recall(found: Sequence[str], parts: dict[str, tuple[str, ...]], asked: frozenset[str]) -> float:
    words = {part for word in found[:N_KEYWORDS] for part in (word, *parts.get(word, ()))}
    return len(words & asked) / min(N_KEYWORDS, len(asked))


def measure(documents: Sequence[Document], table: Frequencies, weights: Floats) -> float:
    """Mean share of the nouns of a title that stand among the keywords of its body."""
    values = []
    for item in documents:
        if item.asked:
            words, features, parts = describe(item, table)
            scores = features @ weights
            order = sorted(range(len(words)), key=lambda place: (-scores[place], words[place]))
            chosen = [words[place] for place in keywords.drop_parts(words, order, N_KEYWORDS)]
            values.append(recall(chosen, parts, item.asked))
    return round(float(np.mean(values)), 3)


def measure_plain(known: Sequence[Document], test: Sequence[Document]) -> float:
    """The same of TF-IDF over the nouns, with the bodies measured among those counted."""
    n_with = Counter(noun for item in (*known, *test) for noun in set(item.nouns))
    n_texts, values = len(known) + len(test), []
    for item in test:
        if item.asked:
            score = {
                noun: (1 + math.log(n)) * (math.log((1 + n_texts) / (1 + n_with[noun])) + 1)
                for noun, n in Counter(item.nouns).items()
            }
            values.append(recall(sorted(score, key=lambda noun: (-score[noun], noun)), {}, item.asked))
    return round(float(np.mean(values)), 3)


if __name__ == "__main__":
    main()
