"""Nouns of real petitions: our tokenizer, python-mecab-ko and kiwipiepy, each over the same normalized texts.

F1 is of the nouns of two letters or more of each sentence of UD Korean Kaist (dev), as a multiset: each tagger's own
nouns, before stop words and compounds.
"""

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.stage import ALL_MONTHS, SHARED, Arguments, Contestant, Stage, data_files

GOLD = SHARED / "data/eval/ud_ko_kaist-dev.conllu.gz"
GOLD_NOUNS = ("ncn", "ncpa", "ncps", "nq", "f")
OUR_NOUNS = ("NNG", "NNP", "SL", "인명")
KIWI_NOUNS = ("NNG", "NNP", "SL")
Turn = Callable[[int], dict[str, Any]]


def read_normalized(months: tuple[str, ...]) -> list[str]:
    """Title and body of every petition of the months, normalized."""
    from petitions.sources.lines import read_lines
    from petitions.text.normalize import normalize_text

    rows = [json.loads(line) for path in data_files(months) for line in read_lines(path)]
    return [normalize_text(f"{row['title']}\n{row['content']}").text for row in rows]


@contextmanager
def write_texts(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """The texts as a file that all read."""
    texts = read_normalized(ALL_MONTHS)[: size["n"]]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    yield {**size, "n": len(texts), "texts": str(folder / "texts.json")}


def read_gold() -> Iterator[tuple[str, list[str]]]:
    """Text and nouns of each sentence; words of which the corpus gives fewer forms than tags have none."""
    for block in gzip.decompress(GOLD.read_bytes()).decode("utf-8").strip().split("\n\n"):
        text, nouns = "", list[str]()
        for line in block.splitlines():
            if line.startswith("# text = "):
                text = line.removeprefix("# text = ")
            elif not line.startswith("#"):
                _, _, lemma, _, tags, *_ = line.split("\t")
                nouns += [
                    form for form, tag in zip(lemma.split("+"), tags.split("+"), strict=False) if tag in GOLD_NOUNS
                ]
        yield text, nouns


def measure_f1(find_nouns: Callable[[str], Iterable[str]]) -> float:
    """F1 over all sentences."""
    right = n_found = n_gold = 0
    for text, nouns in read_gold():
        found = Counter(noun.upper() for noun in find_nouns(text) if len(noun) > 1)
        gold = Counter(noun.upper() for noun in nouns if len(noun) > 1)
        right, n_found, n_gold = right + (found & gold).total(), n_found + found.total(), n_gold + gold.total()
    return round(2 * right / (n_found + n_gold), 4)


def take(call: Callable[[], list[list[str]]], find_nouns: Callable[[str], Iterable[str]] | None) -> Turn:
    """A turn that says how many tokens there were; the F1 is measured here, before any turn."""
    f1 = measure_f1(find_nouns) if find_nouns else None
    return lambda _: {"tokens": sum(map(len, call())), "F1": f1}


def _texts(arguments: Arguments) -> list[str]:
    texts: list[str] = json.loads(Path(arguments["texts"]).read_text("utf-8"))
    return texts


def make_ours(arguments: Arguments) -> Turn:
    from petitions.text.tokenizer import Tokenizer

    texts, judged = _texts(arguments), Tokenizer()

    def find_nouns(text: str) -> Iterator[str]:
        return (surface for surface, tag, _ in judged.tag(text) if tag in OUR_NOUNS)

    def call() -> list[list[str]]:
        tokenizer = Tokenizer()
        _forget_answers()  # what the process has tagged before
        return [tokenizer.tokenize(text) for text in texts]

    return take(call, find_nouns)


def make_ours_all(arguments: Arguments) -> Turn:
    from petitions.text.tokenizer import tokenize_many

    texts = _texts(arguments)

    def call() -> list[list[str]]:
        _forget_answers()
        return tokenize_many(texts)

    return take(call, None)


def _forget_answers() -> None:
    from petitions.text import tokenizer

    tokenizer._answers = tokenizer._Answers()


def make_mecab(arguments: Arguments) -> Turn:
    from mecab import MeCab

    mecab, texts = MeCab(), _texts(arguments)
    return take(lambda: [[noun for noun in mecab.nouns(text) if len(noun) > 1] for text in texts], mecab.nouns)


def make_kiwi(arguments: Arguments) -> Turn:
    from kiwipiepy import Kiwi

    kiwi, texts = Kiwi(num_workers=os.cpu_count()), _texts(arguments)
    pick = lambda found: [part.form for part in found if part.tag in KIWI_NOUNS]  # noqa: E731
    return take(lambda: [pick(found) for found in kiwi.tokenize(texts)], lambda text: pick(kiwi.tokenize(text)))


MAKERS = {"ours": make_ours, "ours_all": make_ours_all, "mecab": make_mecab, "kiwi": make_kiwi}
STAGES = {
    "tokenize": Stage(
        title="Tokenize",
        module="tokens",
        unit="petitions",
        contestants=(
            Contestant(name="ours, one core: nouns, compounds, stop words", maker="ours"),
            Contestant(name="ours, as the step calls it: all cores", maker="ours_all"),
            Contestant(name="python-mecab-ko, `nouns`", maker="mecab", environment="words"),
            Contestant(name="kiwipiepy, all cores", maker="kiwi", environment="words"),
        ),
        sizes={"full": {"n": 3029, "rounds": 5}, "quick": {"n": 300, "rounds": 3}},
        prepare=write_texts,
    )
}
