"""Batches of the stage fill: windows from anywhere in a text with masked words, and texts whose vectors are to stay.

A joint batch begins nearly every body at its begin, since it asks what follows a title: of 8,000 petitions a network
would read the same first lines over and over. Here each piece of the text is as likely as any other.
"""

import numpy as np
import numpy.typing as npt

from petitions.encoders.hub import PreTrainedTokenizerFast
from petitions.training.bert_examples import Batch, EncodedCorpus, ExampleSampler, Ids

TITLE_SHARE = 0.4  # of the windows of bodies stand behind their title, as a pair
MASKED_SHARE = 0.2  # a small budget learns more of more masks than of the usual 0.15 (Wettig et al. 2023)
SHORTEST = 16  # pieces of a window at the end of a body


class WindowSampler(ExampleSampler):
    """Draws windows of documents, each document as often as it is long."""

    def __init__(self, corpus: EncodedCorpus, tokenizer: PreTrainedTokenizerFast, line_share: float) -> None:
        """Make a sampler; `line_share` of the rows are lines without a body, several in a row."""
        super().__init__(corpus, tokenizer, 1 - line_share, 0, None, MASKED_SHARE)
        self.ends: npt.NDArray[np.int64] = np.cumsum([len(body) for _, body in corpus.titled])

    def draw_windows(self, n_rows: int, length: int) -> Batch:
        """Rows of at most `length` pieces, words of them masked; nothing is said of what follows what."""
        batch = self.make_batch(n_rows, length)
        for row in range(n_rows):
            if self.random.random() < self.titled_share:
                self._put_window(batch, row, length)
            else:
                self._put(batch, row, [self.cls, *self._pack_lines(length - 1)])
            self.mask_words(batch, row)
        return batch

    def take_window(self, longest: int) -> tuple[Ids, Ids]:
        """A title, and at most `longest` pieces of its body that begin with a word."""
        index = int(np.searchsorted(self.ends, self.random.integers(self.ends[-1]), side="right"))
        title, body = self.corpus.titled[index]
        start = int(self.random.integers(max(1, len(body) - SHORTEST)))
        while start and self.is_continuation[body[start]]:
            start -= 1
        return title, body[start : start + longest]

    def _put_window(self, batch: Batch, row: int, length: int) -> None:
        title, window = self.take_window(length - 2)
        if self.random.random() >= TITLE_SHARE:
            self._put(batch, row, [self.cls, *window.tolist(), self.sep])
            return
        first = [self.cls, *title[: length // 4].tolist(), self.sep]
        sequence = [*first, *window[: length - len(first) - 1].tolist(), self.sep]
        batch.segment_ids[row, len(first) : len(sequence)] = 1
        self._put(batch, row, sequence)
