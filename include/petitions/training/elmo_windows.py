"""Token lists in, batches of windows for a forward and backward language model out."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petitions.encoders.characters import BOS, EOS, Token, to_character_ids
from petitions.errors import ConfigError

UNKNOWN, BOS_WORD, EOS_WORD = 0, 1, 2  # the first words of every vocabulary
MARK_NAMES = ("<UNK>", "<S>", "</S>")  # as bilm-tf writes them
HELD_OUT_EVERY = 50  # one sentence in 50 is kept from training

Ints = npt.NDArray[np.int32]
Batch = tuple[Ints, Ints, Ints]  # distinct tokens [B, T], next and previous words [B * T]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStream:
    """A corpus as numbers: distinct tokens, the words that are predicted, and the text as one stream of each split."""

    spelled: npt.NDArray[np.uint16]  # [all distinct tokens, C]
    words: tuple[str, ...]  # V words, the marks first, then by falling frequency
    word_of_token: Ints  # [all distinct tokens], UNKNOWN for those that are not predicted
    training: Ints  # distinct tokens in the order of the text
    held_out: Ints


def read_stream(
    sentences: Iterable[Sequence[str]], *, vocabulary: int, min_count: int, max_characters: int
) -> TokenStream:
    """Number a corpus; each sentence is framed by its two marks, an empty one is left out.

    Args:
        sentences: lists of tokens, read once.
        vocabulary: the most words, marks counted in.
        min_count: a token that is rarer is no word.
        max_characters: C, see `to_character_ids`.

    Raises:
        ConfigError: fewer than two sentences, so that nothing can be held out; or no token is frequent enough.
    """
    index: dict[str, int] = {}
    streams = (array("i"), array("i"))  # training, held out
    n_sentences = 0
    for sentence in sentences:
        if not sentence:
            continue
        stream = streams[n_sentences % HELD_OUT_EVERY == 1]
        stream.append(0)
        stream.extend(index.setdefault(token, len(index) + 2) for token in sentence)
        stream.append(1)
        n_sentences += 1
    if n_sentences < 2:
        raise ConfigError(f"at least 2 sentences are needed to train an ELMo, got {n_sentences}")
    training, held_out = (np.array(stream, dtype=np.int32) for stream in streams)
    tokens: list[Token] = [BOS, EOS, *index]
    counts = np.bincount(training, minlength=len(tokens))
    order = [token for token in np.argsort(-counts, kind="stable") if token > 1 and counts[token] >= min_count]
    if not order:
        raise ConfigError(f"no token of the corpus occurs {min_count} times, so there is nothing to learn")
    frequent = order[: vocabulary - len(MARK_NAMES)]
    word_of_token = np.full(len(tokens), UNKNOWN, dtype=np.int32)
    word_of_token[[0, 1]] = BOS_WORD, EOS_WORD
    word_of_token[frequent] = np.arange(len(MARK_NAMES), len(MARK_NAMES) + len(frequent))
    return TokenStream(
        spelled=to_character_ids(tokens, max_characters).astype(np.uint16),
        words=(*MARK_NAMES, *(str(tokens[token]) for token in frequent)),
        word_of_token=word_of_token,
        training=training,
        held_out=held_out,
    )


class WindowSampler:
    """Cuts batches of B windows of T tokens out of a stream."""

    def __init__(self, stream: TokenStream, *, batch_size: int, window: int) -> None:
        self.stream, self.batch_size, self.window = stream, batch_size, window
        n_windows = (len(stream.training) - 2) // window - 1
        if n_windows < batch_size or len(stream.held_out) < window + 2:
            raise ConfigError(
                f"the corpus is too small for batches of {batch_size} windows of {window} tokens: "
                f"{len(stream.training)} tokens to train on, {len(stream.held_out)} held out"
            )

    def sample_training(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Batches without end: in each epoch every window once, cut at a new offset and shuffled."""
        while True:
            starts = np.arange(rng.integers(self.window), len(self.stream.training) - self.window - 1, self.window)
            rng.shuffle(starts)
            for first in range(0, len(starts) - self.batch_size + 1, self.batch_size):
                yield self._cut(self.stream.training, starts[first : first + self.batch_size])

    def held_out(self, n_windows: int) -> Iterator[Batch]:
        """About `n_windows` windows spread evenly over the held-out text, the same at each call."""
        starts = np.arange(0, len(self.stream.held_out) - self.window - 1, self.window)
        n_batches = max(1, min(n_windows, len(starts)) // self.batch_size)
        spread = np.linspace(0, len(starts) - 1, n_batches * self.batch_size).astype(int)
        for rows in spread.reshape(n_batches, self.batch_size):
            yield self._cut(self.stream.held_out, starts[rows])

    def _cut(self, tokens: Ints, starts: npt.NDArray[np.int64]) -> Batch:
        rows = tokens[starts[:, np.newaxis] + np.arange(self.window + 2)]  # [B, T + 2]
        words = self.stream.word_of_token[rows]  # [B, T + 2]
        return rows[:, 1:-1], words[:, 2:].reshape(-1), words[:, :-2].reshape(-1)
