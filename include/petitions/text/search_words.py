"""A text or a question comes in; the words that a searcher may ask by go out.

Topics are made of a few nouns; a searcher asks by any word: names, numbers, short compounds, words that stand in every
petition. So all words are kept but particles and endings, compounds whole and in parts, and where Mecab, which does
not know last year's names, cuts one to pieces, the pieces are put together again too. `SEARCH_TOKENIZER` names all that
decides the words, and is stored with them.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from petitions.records import Morpheme, split_words
from petitions.text.frequencies import read_frequencies
from petitions.text.processes import map_in_processes
from petitions.text.tokenizer import TOKENIZER, Tokenizer, count_processes, drop_wordless

RULES = 2  # raise it when the code below gives other words
MOST_LETTERS = 12  # of a compound; longer ones are missing blanks
MOST_QUESTION = 2_000  # characters of a question that are looked at

# Particles, endings, what makes a verb of a noun, marks: nobody searches by them.
_NO_WORD = re.compile(r"J|E[PFCT]|XS[VA]|VC|VX|S[FECYSO]")
_PREDICATE = re.compile(r"V[VA]|MA[GJ]")
_LATIN = re.compile(r"[A-Za-z0-9]+(?:[-.·ㆍ,/&+_][A-Za-z0-9]+)*")
_SEPARATOR = re.compile(r"[-.·ㆍ,/&+_]")
_LATIN_TAGS = ("SL", "SN")
# They make a system, law, bill, theory, right, crime, tax or order of a noun: 소환제 is about 소환, as others write.
_SUFFIXES = frozenset("제법안론권죄세령")
_SHORTEST_STEM = 2
_PROGRAM = (
    "from petitions.text import processes, search_words; processes.answer_lines(search_words.SearchTokenizer().split)"
)


def _name_tokenizer() -> str:
    parts = (
        RULES, MOST_LETTERS, _NO_WORD.pattern, _PREDICATE.pattern, _LATIN.pattern, sorted(_SUFFIXES), TOKENIZER
    )  # fmt: skip
    return f"search-{RULES}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:8]}"


SEARCH_TOKENIZER = _name_tokenizer()


class SearchTokenizer:
    """Splits texts into words to search by; not to be shared between threads."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer()

    def split(self, text: str) -> list[str]:
        """The words of a text, repeats kept: single ones, compounds whole and in parts, numbers, Latin in capitals.

        A number or a Latin word with marks inside is one word without them, and its parts: GTX-D is GTXD and GTX,
        6.17 is 617. A text without any gives an empty list.
        """
        words = [word for eojeol in split_words(self._tokenizer.tag(text)) for word in _read_eojeol(eojeol)]
        return words + list(_read_latin(drop_wordless(text)))

    def split_question(self, question: str) -> list[str]:
        """The words of a question, each once, and its neighbours without the blank between them: 민식이 법 is 민식이법.

        Of a question over MOST_QUESTION characters the beginning is read.
        """
        asked = question[:MOST_QUESTION]
        eojeols = list(split_words(self._tokenizer.tag(asked)))
        joined = []
        for first, second in zip(eojeols, eojeols[1:], strict=False):
            stem = _cut_particles(second)
            joined.append(_join([*first, *stem]) if stem else "")
        words = self.split(asked) + [word for word in joined if 1 < len(word) <= MOST_LETTERS]
        return list(dict.fromkeys(words))


def split_many(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text, in the order of the texts; large batches on all cores."""
    n_processes = count_processes(len(texts))
    if n_processes == 1:
        tokenizer = SearchTokenizer()
        return [tokenizer.split(text) for text in texts]
    return map_in_processes(_PROGRAM, texts, n_processes)


def _is_word(morpheme: Morpheme) -> bool:
    return not _NO_WORD.match(morpheme[1]) and morpheme[0].isalnum()


def _cut_particles(eojeol: Sequence[Morpheme]) -> Sequence[Morpheme]:
    """Without the particles and endings that it ends by."""
    end = len(eojeol)
    while end and not _is_word(eojeol[end - 1]):
        end -= 1
    return eojeol[:end]


def _join(morphemes: Iterable[Morpheme]) -> str:
    return "".join(surface for surface, _, _ in morphemes).upper()


def _read_eojeol(eojeol: Sequence[Morpheme]) -> list[str]:
    """The words of what stands between two blanks."""
    stem = _cut_particles(eojeol)
    if len(stem) == 1:
        surface, tag, _ = stem[0]
        is_short_noun = len(surface) == 1 and tag in ("NNG", "NNP", "NP", "SH")
        is_kept = is_short_noun or (len(surface) > 1 and tag not in _LATIN_TAGS)
        return [surface, *_cut_suffix(stem[0])] if is_kept else []
    words: list[str] = []
    for is_word, run in groupby(stem, _is_word):
        if is_word:
            words += _read_run(list(run))
    if not all(map(_is_word, stem)) and all(tag[0] not in "S" for _, tag, _ in stem):
        whole = _join(stem)  # 민식이법: what looks like a particle may be a letter of a name
        if 2 < len(whole) <= 6:
            words.append(whole)
    return words


def _cut_suffix(morpheme: Morpheme) -> list[str]:
    """The noun that a word is made of by a suffix which the tagger did not see, 소환 of 소환제; of others none."""
    surface, tag, _ = morpheme
    stem = surface[:-1]
    is_made = tag in ("NNG", "NNP") and surface[-1] in _SUFFIXES and len(stem) >= _SHORTEST_STEM
    return [stem] if is_made and stem in read_frequencies().n_with else []


def _read_run(run: Sequence[Morpheme]) -> list[str]:
    """Single words of two letters or more; of neighbours that are no verbs the pairs, short threes, and the whole.

    A word or a whole that ends by a suffix is there without it too: 소환 and 국민소환 of 국민소환제.
    """
    words = [surface for surface, tag, _ in run if len(surface) > 1 and tag not in _LATIN_TAGS]
    words += [stem for item in run for stem in _cut_suffix(item)]
    for is_compound, part in groupby(run, lambda item: len(item[0]) == 1 or not _PREDICATE.match(item[1])):
        nouns = list(part)
        if not is_compound or len(nouns) < 2:
            continue
        pairs = [_join(nouns[place : place + 2]) for place in range(len(nouns) - 1)]
        threes = [_join(nouns[place : place + 3]) for place in range(len(nouns) - 2)]
        made = [word for word in pairs if len(word) <= MOST_LETTERS] + [word for word in threes if len(word) <= 4]
        whole = _join(nouns)
        if len(nouns) > 2 and len(whole) <= MOST_LETTERS and whole not in made:
            made.append(whole)
        if whole in made and _cut_suffix(nouns[-1]):
            made.append(whole[:-1])
        words += [word for word in made if not word.isascii()]
    return words


def _read_latin(text: str) -> Iterator[str]:
    """Numbers and Latin words, without the marks inside them, and their parts."""
    for word in map(str.upper, _LATIN.findall(text)):
        parts = _SEPARATOR.split(word)
        whole = "".join(parts)
        if len(whole) > MOST_LETTERS * 2:
            continue
        if len(whole) > 1:
            yield whole
        if len(parts) > 1:
            yield from (part for part in parts if len(part) > 1)
