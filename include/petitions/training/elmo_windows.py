"""A numbered corpus in, batches of windows for a forward and a backward language model out.

Both directions read the text as B rows side by side, the backward one from the end of each, and each window goes on
where the one before it ended: so a network may carry its states. Letters of the shapes: B rows, T tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petitions.encoders.characters import BOS, EOS, to_character_ids
from petitions.errors import ConfigError
from petitions.training.elmo_corpus import BEGIN, END, Corpus, Ints

UNKNOWN, BOS_WORD, EOS_WORD = 0, 1, 2  # the first words of every vocabulary
MARK_NAMES = ("<UNK>", "<S>", "</S>")  # as bilm-tf writes them


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStream:
    """A corpus, how its tokens are spelled, and the words that are predicted."""

    spelled: npt.NDArray[np.uint16]  # [all distinct tokens, C]
    words: tuple[str, ...]  # V words, the marks first, then by falling frequency
    word_of_token: Ints  # [all distinct tokens], UNKNOWN for those that are not predicted
    counts: npt.NDArray[np.int64]  # [all distinct tokens], in the training text and that of the word vectors
    training: Ints  # distinct tokens in the order of the text
    held_out: Ints
    only_words: Ints


def read_stream(corpus: Corpus, *, vocabulary: int, min_count: int, max_characters: int) -> TokenStream:
    """Choose the words of a corpus.

    Args:
        corpus: see `number_corpus`.
        vocabulary: the most words, marks counted in.
        min_count: a token that is rarer in the training text is no word.
        max_characters: C, see `to_character_ids`.

    Raises:
        ConfigError: no token is frequent enough.
    """
    tokens = [BOS, EOS, *corpus.tokens]
    counts = np.bincount(corpus.training, minlength=len(tokens))
    order = [token for token in np.argsort(-counts, kind="stable") if token > END and counts[token] >= min_count]
    if not order:
        raise ConfigError(f"no token of the corpus occurs {min_count} times, so there is nothing to learn")
    frequent = order[: vocabulary - len(MARK_NAMES)]
    word_of_token = np.full(len(tokens), UNKNOWN, dtype=np.int32)
    word_of_token[[BEGIN, END]] = BOS_WORD, EOS_WORD
    word_of_token[frequent] = np.arange(len(MARK_NAMES), len(MARK_NAMES) + len(frequent))
    return TokenStream(
        spelled=to_character_ids(tokens, max_characters).astype(np.uint16),
        words=(*MARK_NAMES, *(str(tokens[token]) for token in frequent)),
        word_of_token=word_of_token,
        counts=counts + np.bincount(corpus.only_words, minlength=len(tokens)),
        training=corpus.training,
        held_out=corpus.held_out,
        only_words=corpus.only_words,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A window of each row, for both directions: [0] forward, [1] backward, in the order in which each reads."""

    tokens: Ints  # [2, B, T], distinct tokens
    targets: Ints  # [2, B, T], the word after each in the order of reading
    is_kept: npt.NDArray[np.bool_]  # [2, B], whether a row goes on from the window before, else from zero states


class WindowSampler:
    """Cuts batches out of a stream; a batch depends on the seed and the step alone."""

    def __init__(self, stream: TokenStream, *, batch_size: int, window: int, reset_share: float = 0.0) -> None:
        """Begin anew, besides at the top of an epoch, in a share of the windows: as an encoder does on a text."""
        self.stream, self.batch_size, self.window, self.reset_share = stream, batch_size, window, reset_share
        self.n_held_out_rows = min(batch_size, len(stream.held_out) // (window + 1))
        self.n_epoch = self._count_windows(stream.training, batch_size, window)
        if self.n_epoch < 1 or not self.n_held_out_rows:
            raise ConfigError(
                f"the corpus is too small for {batch_size} rows of windows of {window} tokens: "
                f"{len(stream.training)} tokens to train on, {len(stream.held_out)} held out"
            )

    def sample_training(self, seed: int, step: int) -> Batch:
        """The batch of a step; each epoch cuts its windows at another offset."""
        epoch, window = divmod(step, self.n_epoch)
        offset = int(np.random.default_rng([seed, epoch]).integers(self.window))
        is_kept = np.random.default_rng([seed, epoch, window]).random((2, self.batch_size)) >= self.reset_share
        return self._cut(self.stream.training, offset, window, is_kept & (window > 0))

    def held_out(self, n_windows: int) -> Iterator[Batch]:
        """The first `n_windows` windows of each row of the held-out text, in their order; the same at each call."""
        n_rows = self.n_held_out_rows  # less than B where little is held out
        for window in range(min(n_windows, self._count_windows(self.stream.held_out, n_rows, 0))):
            yield self._cut(self.stream.held_out, 0, window, np.full((2, n_rows), window > 0))

    def _count_windows(self, tokens: Ints, n_rows: int, offset: int) -> int:
        """Windows of a row."""
        return (len(tokens) // n_rows - 1 - offset) // self.window

    def _cut(self, tokens: Ints, offset: int, window: int, is_kept: npt.NDArray[np.bool_]) -> Batch:
        n_rows = is_kept.shape[1]
        length = len(tokens) // n_rows
        rows = tokens[: n_rows * length].reshape(n_rows, length)
        start = offset + window * self.window
        cut = np.stack([each[:, start : start + self.window + 1] for each in (rows, rows[:, ::-1])])  # [2, B, T + 1]
        targets = self.stream.word_of_token[cut[:, :, 1:]]
        return Batch(tokens=np.ascontiguousarray(cut[:, :, :-1]), targets=targets, is_kept=is_kept)
