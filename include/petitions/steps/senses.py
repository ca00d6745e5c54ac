"""The senses of a word: its occurrences in the stored petitions, vectors of two encoders, and what tells them apart.

The sentence encoder reads the words around an occurrence and says what is talked of; ELMo's first layer at the word
says how it is used there (의사를 밝히다, 의사 선생님). Neither alone tells senses apart as both do (docs/senses.md).
"""

import hashlib
import heapq
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.errors import ConfigError
from petitions.privacy import mask_text
from petitions.records import PetitionText, Source, Window
from petitions.settings import Settings
from petitions.steps.encoders import open_encoder
from petitions.store import senses as store
from petitions.text import occurrences
from petitions.text.normalize import normalize_text
from petitions.text.occurrences import Occurrence, find_occurrences
from petitions.text.tokenizer import TOKENIZER, Tokenizer, read_stopwords

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_OCCURRENCES = 2_000  # that are compared; of more a sample that hangs on nothing but them
LEAST_LETTERS, MOST_LETTERS = 2, 20  # of a word
WORDS_BESIDE = 8  # on each side, that the sentence encoder reads
WEIGHTS = (1.0, 1.4)  # of the sentence encoder and of ELMo, by measurement (docs/senses.md)
SENTENCES = 3  # of each sense
MARKS = ("【", "】")
_MORPHEMES = next(name for name, entry in ENCODERS.items() if entry.reads_morphemes)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSenses:
    """The senses as they are stored, and of each some sentences, which are not."""

    stored: store.WordSenses
    sentences: Sequence[Sequence[str]]


def read_word(word: str) -> str:
    """A word as it would be stored.

    Raises:
        ConfigError: it is empty, of one letter or over MOST_LETTERS, or holds a blank.
    """
    if len(word) > 10 * MOST_LETTERS:
        raise ConfigError(f"the word must have {LEAST_LETTERS} to {MOST_LETTERS} letters, got {len(word)}")
    clean = unicodedata.normalize("NFC", normalize_text(word).text)
    if not LEAST_LETTERS <= len(clean) <= MOST_LETTERS:
        raise ConfigError(f"the word must have {LEAST_LETTERS} to {MOST_LETTERS} letters, got {len(clean)}")
    if any(map(str.isspace, clean)):
        raise ConfigError(f"senses are of one word, without a blank, got {clean!r}")
    return clean


def find_senses(
    engine: Engine, settings: Settings, word: str, source: Source | None, n_senses: int | None, *, at: datetime
) -> FoundSenses:
    """Find the senses of a word in all stored petitions, of a source or of all, and store them.

    Args:
        engine: of the results.
        settings: which weights.
        word: as somebody wrote it.
        source: None for all.
        n_senses: how many; None as `cluster_senses` finds.
        at: when.

    Raises:
        ConfigError: the word cannot be one, is nowhere used as a noun, or less often than it should have senses.
        WeightsError: weights that are missing or incomplete.
    """
    word, told = read_word(word), source or "any source"
    with engine.connect() as conn:
        days = store.read_stored_days(conn, source)
        if days is None:
            raise ConfigError(f"no petition of {told} is stored")
        window = Window(since=days[0], until=days[1] + timedelta(days=1))
        n_found, chosen = choose_occurrences(store.read_with_word(conn, word, source, window), word)
    if not chosen:
        raise ConfigError(f"no stored petition of {told} has {word!r} as a noun of its own")
    if n_senses is not None and n_senses > len(chosen):
        raise ConfigError(f"--senses must be at most the {len(chosen)} occurrences of {word!r}, got {n_senses}")
    found = _tell_apart(settings, word, chosen, n_senses)
    with engine.begin() as conn:
        stored = store.WordSenses(word=word, source=source, window=window, n_found=n_found, **found[0])
        store.upsert_senses(conn, stored, at=at)
    return FoundSenses(stored=stored, sentences=found[1])


def choose_occurrences(
    texts: Iterable[PetitionText], word: str, most: int = MOST_OCCURRENCES
) -> tuple[int, list[tuple[str, Occurrence]]]:
    """Find a word in petitions; returns how often, and at most so many occurrences with their petition_id, in order.

    Those with the lowest hash of their place are kept: an even sample, the same each time, and one petition more
    changes it little. No more of them are held at once.
    """
    kept: list[tuple[int, str, int, Occurrence]] = []  # the highest hash first
    n_found = 0
    for petition_id, occurrence in _find_all(texts, word):
        n_found += 1
        digest = hashlib.sha256(f"{petition_id}\x00{occurrence.start}".encode()).digest()
        item = (-int.from_bytes(digest[:8]), petition_id, occurrence.start, occurrence)
        if len(kept) < most:
            heapq.heappush(kept, item)
        else:
            heapq.heappushpop(kept, item)
    return n_found, [(petition_id, item) for _, petition_id, _, item in sorted(kept, key=lambda item: item[1:3])]


def _find_all(texts: Iterable[PetitionText], word: str) -> Iterator[tuple[str, Occurrence]]:
    tokenizer = Tokenizer()
    for text in texts:
        for occurrence in find_occurrences(tokenizer, text.whole, word):
            yield text.petition_id, occurrence


def embed_occurrences(
    settings: Settings, word: str, found: Sequence[Occurrence]
) -> tuple[str, list["NDArray[np.float32]"]]:
    """The names of the encoders, and of each float32 [N, D] of N occurrences of a word."""
    around: Any = open_encoder(SEARCHED, settings)
    at_word: Any = open_encoder(_MORPHEMES, settings)
    lists = [[*_surfaces(item.before), word, *_surfaces(item.after)] for item in found]
    kinds = [
        around.embed([cut_snippet(item, word) for item in found]),
        at_word.embed_words(lists, [len(item.before) for item in found]),
    ]
    return f"{around.name}+{at_word.name}", kinds


def _surfaces(morphemes: Sequence[tuple[str, str]]) -> list[str]:
    return [surface for surface, _ in morphemes]


def cut_snippet(item: Occurrence, word: str) -> str:
    """The word and the words next to it, as they are written."""
    before, after = item.sentence[: item.place], item.sentence[item.place + len(word) :]
    first = before.split(" ")[-WORDS_BESIDE - 1 :]
    return " ".join(first) + word + " ".join(after.split(" ")[: WORDS_BESIDE + 1])


def mark_word(item: Occurrence, word: str) -> str:
    """The sentence on one line, masked once more, the word between marks."""
    before, after = item.sentence[: item.place], item.sentence[item.place + len(word) :]
    return " ".join(f"{mask_text(before)}{MARKS[0]}{word}{MARKS[1]}{mask_text(after)}".split())


def _tell_apart(
    settings: Settings, word: str, chosen: Sequence[tuple[str, Occurrence]], n_senses: int | None
) -> tuple[dict[str, Any], list[list[str]]]:
    # scikit-learn: a word that cannot be is refused before it is loaded.
    from petitions.text import senses

    owners, found = [owner for owner, _ in chosen], [item for _, item in chosen]
    encoder, kinds = embed_occurrences(settings, word, found)
    vectors = senses.mix_vectors(list(zip(kinds, WEIGHTS, strict=True)), owners)
    labels = senses.cluster_senses(vectors, n_senses)
    neighbours = senses.find_neighbours(found, labels, {word, *read_stopwords()})
    told, sentences = [], []
    for sense, words in enumerate(neighbours):
        members = [number for number, label in enumerate(labels.tolist()) if label == sense]
        typical = _choose_sentences(senses.choose_typical(vectors, members), owners, found, word)
        told.append(
            store.WordSense(
                share=len(members) / len(found),
                n_occurrences=len(members),
                neighbours=words,
                petition_ids=[owner for owner, _ in typical],
            )
        )
        sentences.append([sentence for _, sentence in typical])
    method = f"senses-{senses.RULES}.{occurrences.RULES}+{TOKENIZER}"
    return {"encoder": encoder, "method": method, "senses": told}, sentences


def _choose_sentences(
    order: Iterable[int], owners: Sequence[str], found: Sequence[Occurrence], word: str
) -> list[tuple[str, str]]:
    """The first sentences in an order that are no copies, of a petition each, with its petition_id."""
    chosen: dict[str, str] = {}
    for number in order:
        sentence = mark_word(found[number], word)
        if owners[number] not in chosen and sentence not in chosen.values():
            chosen[owners[number]] = sentence
        if len(chosen) == SENTENCES:
            break
    return list(chosen.items())
