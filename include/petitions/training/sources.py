"""What the small BERT is trained on: a data folder in, titled documents, single texts and labelled pairs out.

The folder has the layout of the project's shared data. Held-out sets lie elsewhere in it and are named nowhere here:
Blue House 2019-06 to 08, KorSTS dev and test, KLUE-STS dev. No stage reads 2019-04 and 05: they calibrate.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from petitions.errors import ConfigError
from petitions.privacy import mask_text
from petitions.sources.lines import read_lines
from petitions.training.corpus import MODERATION_NOTICE

PETITIONS = (
    "corpus/bluehouse_2020-01_05.jsonl.gz",
    "assembly/2020-01_2024-07.jsonl",
    "more/petitions/gwanghwamun_proposals_2018-2020.jsonl.gz",
    "more/petitions/answered_2017-09_2018-11.jsonl.gz",
)
CALIBRATION = ("bluehouse/2019-04.jsonl", "bluehouse/2019-05.jsonl")
TITLES = "more/petitions/titles_2018-12_2021-01.jsonl.gz"
SCORED = ("more/pairs/klue_sts_train.jsonl.gz", "more/pairs/korsts_train.jsonl.gz")
INFERENCE = ("more/pairs/klue_nli.jsonl.gz", "more/pairs/xnli_ko.jsonl.gz")
GROUPS = ("more/pairs/stylekqc_groups.jsonl.gz", "more/pairs/parakqc_groups.jsonl.gz")
GISTS = "more/pairs/sae4k_utterance_gist.jsonl.gz"
CIVIC = (  # file, key of the title, key of the text
    ("more/text/wikipedia_ko_civic.jsonl.gz", "title", "text"),
    ("more/text/president_speeches_1988-2022.jsonl.gz", "title", "text"),
    ("more/text/law_articles.jsonl.gz", "heading", "text"),
)
LONGEST = 3000  # characters of a document that are read
SENTENCE_END = re.compile(r"(?<=[.?!])\s+|\n+")
SENTENCE_LENGTH = range(12, 160)  # characters
HIGHEST_SCORE = 5.0

Row = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A title and what stands under it, both without line breaks."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPair:
    """Two sentences and how alike people found them, 0 to 1."""

    first: str
    second: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Two texts of one meaning, and one that is near in words and another in meaning ("" where there is none)."""

    first: str
    second: str
    unlike: str = ""


def read_petitions(data: Path) -> list[Document]:
    """Petitions and proposals with a title and a body, in the order of the files."""
    return [document for name in PETITIONS for document in _read_documents(data / name, "title", "content")]


def read_calibration(data: Path) -> list[Document]:
    """Petitions that no stage reads, to weigh by them what was trained."""
    return [document for name in CALIBRATION for document in _read_documents(data / name, "title", "content")]


def read_civic(data: Path) -> list[Document]:
    """Encyclopedia, speeches and laws: documents that are no petitions."""
    return [document for name, title, text in CIVIC for document in _read_documents(data / name, title, text)]


def read_titles(data: Path) -> list[str]:
    """Titles of petitions without their bodies, each once."""
    return list(dict.fromkeys(clean(_text(row, "title", data / TITLES)) for row in read_rows(data / TITLES)))


def read_scored_pairs(data: Path) -> list[ScoredPair]:
    """Sentence pairs with human scores.

    Raises:
        ConfigError: a file is missing or damaged, or a score is no number from 0 to 5.
    """
    pairs = []
    for path in (data / name for name in SCORED):
        for row in read_rows(path):
            score = row.get("score")
            if not isinstance(score, int | float) or not 0 <= score <= HIGHEST_SCORE:
                raise ConfigError(f"{path}: a score must be a number from 0 to 5, got {score!r}")
            first, second = (clean(_text(row, key, path)) for key in "ab")
            pairs.append(ScoredPair(first=first, second=second, score=score / HIGHEST_SCORE))
    return pairs


def read_alike(data: Path) -> list[Alike]:
    """Sentences that entail each other one way (with one that contradicts, where there is one), paraphrases, gists."""
    found: list[Alike] = []
    for path in (data / name for name in INFERENCE):
        meanings: dict[str, dict[str, str]] = {}
        for row in read_rows(path):
            meanings.setdefault(_text(row, "a", path), {})[_text(row, "label", path)] = _text(row, "b", path)
        for first, by_label in meanings.items():
            if "entailment" in by_label:
                second, unlike = by_label["entailment"], by_label.get("contradiction", "")
                found.append(Alike(first=clean(first), second=clean(second), unlike=clean(unlike)))
    for path in (data / name for name in GROUPS):
        for row in read_rows(path):
            sentences = [clean(text) for key in ("sentences", "polite", "plain") for text in _texts(row.get(key))]
            half = len(sentences) // 2
            found += [
                Alike(first=one, second=two) for one, two in zip(sentences[:half], sentences[half:], strict=False)
            ]
    for row in read_rows(data / GISTS):
        first, second = (clean(_text(row, key, data / GISTS)) for key in "ab")
        found.append(Alike(first=first, second=second))
    return [alike for alike in found if alike.first and alike.second]


def read_rows(path: Path) -> Iterator[Row]:
    """Read a `.jsonl` or `.jsonl.gz`, an object a line.

    Raises:
        ConfigError: the file is missing or damaged, or a line is no JSON object.
    """
    if not path.is_file():
        raise ConfigError(f"no such training file: {path}")
    for number, line in enumerate(read_lines(path), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: no JSON ({error})") from error
        if not isinstance(row, dict):
            raise ConfigError(f"{path}, line {number}: an object is expected, got {type(row).__name__}")
        yield row


def split_sentences(text: str) -> list[str]:
    """The sentences of a body that are neither very short nor very long."""
    return [part.strip() for part in SENTENCE_END.split(text) if len(part.strip()) in SENTENCE_LENGTH]


def clean(text: str) -> str:
    """One line in NFC, without personal data, the moderator's notice and his asterisks."""
    text = MODERATION_NOTICE.sub(" ", unicodedata.normalize("NFC", text)).replace("*", " ")
    return " ".join(mask_text(text).split())


def _read_documents(path: Path, title: str, text: str) -> Iterator[Document]:
    for row in read_rows(path):
        document = Document(title=clean(_text(row, title, path)), body=clean(_text(row, text, path)[:LONGEST]))
        if document.title and document.body:
            yield document


def _text(row: Row, key: str, path: Path) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise ConfigError(f"{path}: a text is expected under {key!r}, got {value!r}")
    return value


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
