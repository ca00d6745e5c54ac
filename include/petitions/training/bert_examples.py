"""Pre-training examples: encoded documents in, batches of masked text pairs out.

A document with a line break has a title and a body, and gives pairs of texts. A document of one line (a review) has
nothing that follows it: such lines are packed several to a sequence, for masked words only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from petitions.encoders.hub import PreTrainedTokenizerFast

MASKED_SHARE = 0.15  # Devlin et al. 2019, as are the 80 / 10 / 10 % of mask_words
TITLE_SHARE = 0.7  # of the pairs; the score asks whether a body follows its title
SHORT_SHARE = 0.2  # of the second texts are cut short, so that length tells nothing
HARD_SHARE = 0.5  # of the wrong second texts are of a similar document, where neighbours are known
MIN_BODY = 16  # pieces; a shorter body gives no pair
CHUNK = 5000  # documents encoded at a time

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedCorpus:
    """Documents as piece ids, without special tokens."""

    titled: Sequence[tuple[Ids, Ids]]  # title and body
    lines: Sequence[Ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """B sequences of T pieces with P masked positions each; where fewer are masked, `weights` is 0."""

    token_ids: Ids  # [B, T]
    segment_ids: Ids  # [B, T]
    mask: Ids  # [B, T]
    positions: Ids  # [B, P]
    labels: Ids  # [B, P]
    weights: npt.NDArray[np.float32]  # [B, P]
    not_next: Ids  # [B], 0 where the second text follows the first
    pair_weights: npt.NDArray[np.float32]  # [B], 0 where there is no pair


def encode_corpus(documents: Iterable[str], tokenizer: PreTrainedTokenizerFast) -> EncodedCorpus:
    """Encode documents; bodies too short for a pair are kept as lines."""
    titled: list[tuple[Ids, Ids]] = []
    lines: list[Ids] = []
    stream = iter(documents)
    while chunk := list(islice(stream, CHUNK)):
        parts = [document.partition("\n") for document in chunk]
        titles = _encode([title for title, _, _ in parts], tokenizer)
        bodies = _encode([body for _, _, body in parts], tokenizer)
        for title, body in zip(titles, bodies, strict=True):
            if len(body) >= MIN_BODY and len(title):
                titled.append((title, body))
            elif len(title):
                lines.append(title)
    return EncodedCorpus(titled=titled, lines=lines)


def split_corpus(corpus: EncodedCorpus, share: float, seed: int) -> tuple[EncodedCorpus, EncodedCorpus]:
    """Hold out `share` of the titled documents; returns what to train on and what is held out (without lines)."""
    order = np.random.default_rng(seed).permutation(len(corpus.titled))
    n_held_out = max(2, round(share * len(order)))
    held_out = [corpus.titled[index] for index in order[:n_held_out]]
    rest = [corpus.titled[index] for index in order[n_held_out:]]
    return EncodedCorpus(titled=rest, lines=corpus.lines), EncodedCorpus(titled=held_out, lines=[])


def _encode(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast) -> list[Ids]:
    encodings = tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]


class ExampleSampler:
    """Draws batches from a corpus; the same corpus and seed give the same batches."""

    def __init__(
        self,
        corpus: EncodedCorpus,
        tokenizer: PreTrainedTokenizerFast,
        titled_share: float,
        seed: int,
        neighbours: npt.NDArray[np.int64] | None = None,
        masked_share: float = MASKED_SHARE,
    ) -> None:
        """Make a sampler; `neighbours` [N, K] names similar documents that half of the wrong second texts are of."""
        self.corpus = corpus
        self.neighbours, self.masked_share = neighbours, masked_share
        self.titled_share = titled_share if corpus.lines else 1.0
        self.random = np.random.default_rng(seed)
        self.cls, self.sep, self.mask = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.mask_token_id
        self.pad, self.n_special = tokenizer.pad_token_id, len(tokenizer.all_special_ids)
        self.vocab_size = len(tokenizer)
        pieces = tokenizer.convert_ids_to_tokens(range(self.vocab_size))
        self.is_continuation = np.array([piece.startswith("##") for piece in pieces])

    def draw_batch(self, batch_size: int, length: int) -> Batch:
        """Draw `batch_size` sequences of `length` tokens, padding included."""
        batch = self.make_batch(batch_size, length)
        for row in range(batch_size):
            if self.random.random() < self.titled_share:
                self._put_pair(batch, row, length)
            else:
                self._put(batch, row, [self.cls, *self._pack_lines(length - 1)])
            self.mask_words(batch, row)
        return batch

    def make_batch(self, batch_size: int, length: int) -> Batch:
        """A batch of padding alone, to be filled."""
        n_masked = round(self.masked_share * length)
        return Batch(
            token_ids=np.full((batch_size, length), self.pad, np.int32),
            segment_ids=np.zeros((batch_size, length), np.int32),
            mask=np.zeros((batch_size, length), np.int32),
            positions=np.zeros((batch_size, n_masked), np.int32),
            labels=np.zeros((batch_size, n_masked), np.int32),
            weights=np.zeros((batch_size, n_masked), np.float32),
            not_next=np.zeros(batch_size, np.int32),
            pair_weights=np.zeros(batch_size, np.float32),
        )

    def _put_pair(self, batch: Batch, row: int, length: int) -> None:
        not_next = int(self.random.random() < 0.5)
        first, second = self._draw_pair(length - 3, not_next)
        batch.not_next[row] = not_next
        batch.pair_weights[row] = 1.0
        batch.segment_ids[row, len(first) + 2 : len(first) + len(second) + 3] = 1
        self._put(batch, row, [self.cls, *first, self.sep, *second, self.sep])

    def _put(self, batch: Batch, row: int, sequence: list[int]) -> None:
        batch.token_ids[row, : len(sequence)] = sequence
        batch.mask[row, : len(sequence)] = 1

    def _draw_pair(self, room: int, not_next: int) -> tuple[Ids, Ids]:
        """Two texts of at most `room` pieces together: a title and a body, or two neighbouring parts of a body."""
        titled = self.corpus.titled
        index = int(self.random.integers(len(titled)))
        other = self._draw_other(index)
        title, body = titled[index]
        if self.random.random() < TITLE_SHARE:
            first = title[: room // 2]
            second = titled[other][1] if not_next else body
        else:
            cut = self._draw_cut(body)
            n_first = int(self.random.integers(room // 8, room // 2))
            first = body[max(0, cut - n_first) : cut]
            second = body[cut:]
            if not_next:
                second = titled[other][1]
                second = second[self._draw_cut(second) :]
        n_second = room - len(first)
        if self.random.random() < SHORT_SHARE:
            n_second = int(self.random.integers(MIN_BODY // 2, n_second + 1))
        return first, second[:n_second]

    def _draw_other(self, index: int) -> int:
        """Another document than this one: any, or in half of the cases one of its neighbours."""
        if self.neighbours is not None and self.random.random() < HARD_SHARE:
            return int(self.random.choice(self.neighbours[index]))
        n_documents = len(self.corpus.titled)
        return (index + int(self.random.integers(1, n_documents))) % n_documents

    def _draw_cut(self, body: Ids) -> int:
        """An offset inside the body where a word begins, neither at its start nor in its last few pieces."""
        cut = int(self.random.integers(1, len(body) - MIN_BODY // 2))
        while cut > 1 and self.is_continuation[body[cut]]:
            cut -= 1
        return cut

    def _pack_lines(self, room: int) -> list[int]:
        packed: list[int] = []
        while len(packed) < room:
            line = self.corpus.lines[int(self.random.integers(len(self.corpus.lines)))]
            packed += [*line.tolist(), self.sep]
        return packed[:room]

    def mask_words(self, batch: Batch, row: int) -> None:
        """Choose whole words until enough pieces are chosen; 80 % become [MASK], 10 % any piece, 10 % stay."""
        ids = batch.token_ids[row]
        is_word = (batch.mask[row] == 1) & (ids != self.cls) & (ids != self.sep)
        candidates = np.flatnonzero(is_word)
        words = np.split(candidates, np.flatnonzero(~self.is_continuation[ids[candidates]])[1:])
        budget = min(batch.positions.shape[1], max(1, round(self.masked_share * len(candidates))))
        chosen: list[int] = []
        for index in self.random.permutation(len(words)):
            if len(chosen) + len(words[index]) <= budget:
                chosen += words[index].tolist()
        positions = np.sort(np.array(chosen, np.int32))
        n_chosen = len(positions)
        batch.positions[row, :n_chosen] = positions
        batch.labels[row, :n_chosen] = ids[positions]
        batch.weights[row, :n_chosen] = 1.0
        fate = self.random.random(n_chosen)
        ids[positions[fate < 0.8]] = self.mask
        is_random = positions[fate >= 0.9]
        ids[is_random] = self.random.integers(self.n_special, self.vocab_size, len(is_random))
