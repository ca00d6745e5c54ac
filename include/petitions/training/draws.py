"""Batches of each task: material and a step's random numbers in, padded arrays out.

A batch depends on the material and on the random generator that it is drawn with, and on nothing drawn before: so a
training that was stopped goes on with the batches that it would have had.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petitions.encoders.hub import PreTrainedTokenizerFast
from petitions.training.bert_examples import Batch, EncodedCorpus, ExampleSampler, Ids
from petitions.training.fill_draws import WindowSampler
from petitions.training.material import Material

N_SPECIAL = 3  # [CLS] first [SEP] second [SEP]
MULTIPLE = 8  # token lengths are padded to a multiple of it
SENTENCE_TOKENS = 48  # of a taught or scored sentence, special tokens included; few have more
TITLE_TOKENS = 40
WINDOW_TOKENS = 112  # of a body that a title is to find
SPAN_TOKENS = 24  # of a part of a body that stands in for a title
SPAN_SHARE = 0.3  # of the firsts of a contrast are such parts
BODY_TOKENS = (48, 96, 160)  # of a body that follows a title, or does not
LATER_SHARE = 0.2  # of the first texts are what stands before the second in a body, no title
HARD_SHARE = 0.6  # of the wrong bodies are like the right one by words, the others are random
FROM_START = 0.6  # of the windows begin where the body begins
CIVIC_SHARE = 0.1  # of contrasts, joint batches and masked words
HELD_WINDOWS = 0.5  # of the batches whose vectors are to stay are windows of bodies, the others are taught texts
HELD_ROWS = 16  # windows in such a batch
MASKED_SHARE = 0.2  # a small budget learns more of more masks than of the usual 0.15 (Wettig et al. 2023)
LINE_SHARE = 0.12  # of the sequences of a joint batch are titles alone
SPREAD = 3  # tokens by which sentences of one batch may differ in length, about

Arrays = tuple[npt.NDArray[np.generic], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawSizes:
    """How large a batch of each task is: rows, about 2,000 tokens of them."""

    distill: int = 96
    joint: int = 2048  # tokens, not rows: these come in several lengths
    joint_lengths: tuple[int, ...] = (64, 64, 96, 160)
    fill_lengths: tuple[int, ...] = (64, 128, 128, 256)  # of as many tokens as a joint batch has
    hold_lengths: tuple[int, ...] = (96, 160, 256)  # of windows whose vectors are to stay
    contrast: int = 24
    next: int = 12  # titles, each beside two bodies
    rank: int = 48
    alike: int = 40


class Drawer:
    """Holds the material, and what of it is computed once."""

    def __init__(self, material: Material, tokenizer: PreTrainedTokenizerFast, sizes: DrawSizes) -> None:
        self.material, self.sizes = material, sizes
        self.cls, self.sep, self.pad = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
        self.n_targets = material.vectors.shape[1]
        self.lengths = np.array([len(ids) for ids in material.taught])
        self.petitions = ExampleSampler(
            material.petitions, tokenizer, 1 - LINE_SHARE, 0, material.neighbours, MASKED_SHARE
        )
        self.civic = ExampleSampler(material.civic, tokenizer, 1.0, 0, None, MASKED_SHARE)
        self.filled = WindowSampler(material.petitions, tokenizer, LINE_SHARE)
        self.filled_civic = WindowSampler(material.civic, tokenizer, 0.0)
        self.draws: dict[str, Callable[[np.random.Generator], Arrays]] = {
            "distill": self.draw_distill,
            "joint": self.draw_joint,
            "match": self.draw_match,
            "contrast": self.draw_contrast,
            "next": self.draw_next,
            "rank": self.draw_rank,
            "alike": self.draw_alike,
            "fill": self.draw_fill,
            "hold": self.draw_hold,
        }

    def draw_distill(self, random: np.random.Generator) -> Arrays:
        """Texts of about one length, and the teacher's vectors of them: ids, mask [B, T], float32 [B, D]."""
        chosen = self.choose_taught(random)
        return *self.pad_texts([self.material.taught[i] for i in chosen], SENTENCE_TOKENS), self.material.vectors[
            chosen
        ]

    def draw_joint(self, random: np.random.Generator) -> Arrays:
        """Masked pairs of texts, as `Batch` has them in the order of its fields."""
        sampler = self.civic if random.random() < CIVIC_SHARE else self.petitions
        sampler.random = random
        length = int(random.choice(self.sizes.joint_lengths))
        batch: Batch = sampler.draw_batch(self.sizes.joint // length, length)
        longest = -(-int(batch.mask.sum(axis=1).max()) // MULTIPLE) * MULTIPLE
        whole = (batch.token_ids, batch.segment_ids, batch.mask)
        cut = [array[:, :longest] for array in whole]
        return *cut, batch.positions, batch.labels, batch.weights, batch.not_next, batch.pair_weights

    def draw_match(self, random: np.random.Generator) -> Arrays:
        """Titles (or parts of bodies) and windows of their bodies, hard ones among them: ids, mask of both."""
        if random.random() < CIVIC_SHARE:
            corpus = self.material.civic
            chosen = random.choice(len(corpus.titled), self.sizes.contrast, replace=False).tolist()
        else:
            corpus, chosen = self.material.petitions, self.choose_hard(random)
        firsts, seconds = zip(*(self.take_views(corpus, index, random) for index in chosen), strict=True)
        return *self.pad_texts(firsts, TITLE_TOKENS), *self.pad_texts(seconds, WINDOW_TOKENS)

    def draw_contrast(self, random: np.random.Generator) -> Arrays:
        """The same with words of the windows masked: what finds its title learns to fill masks in the same pass.

        Returns:
            ids and mask of the titles; ids, mask, masked positions, labels and weights of the windows.
        """
        title_ids, title_mask, token_ids, mask = self.draw_match(random)
        self.petitions.random = random
        batch = self.petitions.make_batch(*token_ids.shape)
        batch.token_ids[:], batch.mask[:] = token_ids, mask
        for row in range(len(token_ids)):
            self.petitions.mask_words(batch, row)
        return title_ids, title_mask, batch.token_ids, batch.mask, batch.positions, batch.labels, batch.weights

    def draw_next(self, random: np.random.Generator) -> Arrays:
        """First texts, each with what follows it and with what does not: ids, segments, mask, int32 [2N, T]; labels.

        The label is 1 where the second text does not follow, as BERT's head counts.
        """
        is_civic = random.random() < CIVIC_SHARE
        corpus = self.material.civic if is_civic else self.material.petitions
        n_body, rows = int(random.choice(BODY_TOKENS)), []
        for index in random.choice(len(corpus.titled), self.sizes.next, replace=False).tolist():
            other = (index + int(random.integers(1, len(corpus.titled)))) % len(corpus.titled)
            if not is_civic and random.random() < HARD_SHARE:
                other = int(random.choice(self.material.neighbours[index]))
            is_later = random.random() < LATER_SHARE
            (first, second), (_, wrong) = (
                take_next(corpus.titled[i], n_body, random, is_later=is_later) for i in (index, other)
            )
            rows += [(first, second), (first, wrong)]
        longest = n_body + TITLE_TOKENS
        return *self.pad_pairs(rows, longest), np.tile(np.array([0, 1], np.int32), self.sizes.next)

    def draw_rank(self, random: np.random.Generator) -> Arrays:
        """Scored pairs: ids, mask of the firsts and of the seconds, scores float32 [B]."""
        chosen = random.choice(len(self.material.scored), self.sizes.rank)
        firsts, seconds = zip(*(self.material.scored[index] for index in chosen), strict=True)
        return (
            *self.pad_texts(firsts, SENTENCE_TOKENS),
            *self.pad_texts(seconds, SENTENCE_TOKENS),
            self.material.scores[chosen],
        )

    def draw_alike(self, random: np.random.Generator) -> Arrays:
        """Pairs of one meaning, the seconds followed by what is of another: ids, mask of both."""
        chosen = random.choice(len(self.material.alike), self.sizes.alike, replace=False)
        firsts, seconds, unlike = zip(*(self.material.alike[index] for index in chosen), strict=True)
        others = [ids for ids in unlike if len(ids)]
        return *self.pad_texts(firsts, SENTENCE_TOKENS), *self.pad_texts([*seconds, *others], SENTENCE_TOKENS)

    def draw_fill(self, random: np.random.Generator) -> Arrays:
        """Windows with masked words: ids, segments, mask [B, T], masked positions, labels and weights [B, P]."""
        sampler = self.filled_civic if random.random() < CIVIC_SHARE else self.filled
        sampler.random = random
        length = int(random.choice(self.sizes.fill_lengths))
        batch = sampler.draw_windows(max(1, self.sizes.joint // length), length)
        return batch.token_ids, batch.segment_ids, batch.mask, batch.positions, batch.labels, batch.weights

    def draw_hold(self, random: np.random.Generator) -> Arrays:
        """Texts whose vectors are to stay what they are, taught ones or windows of bodies: ids, mask [B, T]."""
        if random.random() >= HELD_WINDOWS:
            return self.pad_texts([self.material.taught[i] for i in self.choose_taught(random)], SENTENCE_TOKENS)
        self.filled.random = random
        length = int(random.choice(self.sizes.hold_lengths))
        return self.pad_texts([self.filled.take_window(length)[1] for _ in range(HELD_ROWS)], length)

    def choose_taught(self, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Taught texts of about one length."""
        anchor = self.lengths[random.integers(len(self.lengths))]
        near = np.flatnonzero(np.abs(self.lengths - anchor) <= SPREAD)
        chosen: npt.NDArray[np.int64] = random.choice(near, self.sizes.distill, replace=len(near) < self.sizes.distill)
        return chosen

    def choose_hard(self, random: np.random.Generator) -> list[int]:
        """Petitions, each beside one that is like it by words: the two are each other's hard negatives."""
        chosen: dict[int, None] = {}
        while len(chosen) < self.sizes.contrast:
            index = int(random.integers(len(self.material.petitions.titled)))
            chosen |= {index: None, int(random.choice(self.material.neighbours[index])): None}
        return list(chosen)[: self.sizes.contrast]

    def take_views(self, corpus: EncodedCorpus, index: int, random: np.random.Generator) -> tuple[Ids, Ids]:
        """A title (or a part of the body) and a window of the body."""
        title, body = corpus.titled[index]
        start = 0 if random.random() < FROM_START else int(random.integers(max(1, len(body) - WINDOW_TOKENS // 2)))
        window = body[start : start + WINDOW_TOKENS - 2]
        if random.random() < SPAN_SHARE and len(body) > 2 * SPAN_TOKENS:
            start = int(random.integers(len(body) - SPAN_TOKENS))
            return body[start : start + SPAN_TOKENS], window
        return title, window

    def pad_pairs(self, pairs: Sequence[tuple[Ids, Ids]], longest: int) -> tuple[Ids, Ids, Ids]:
        """Frame pairs as BERT reads them: ids, segments and mask, int32 [B, T]; what is longer loses its end."""
        rows = [[self.cls, *a.tolist(), self.sep, *b.tolist()][: longest - 1] + [self.sep] for a, b in pairs]
        width = -(-max(map(len, rows)) // MULTIPLE) * MULTIPLE
        shape = (len(rows), width)
        token_ids, segments, mask = (
            np.full(shape, self.pad, np.int32),
            np.zeros(shape, np.int32),
            np.zeros(shape, np.int32),
        )
        for row, (ids, (first, _)) in enumerate(zip(rows, pairs, strict=True)):
            token_ids[row, : len(ids)], mask[row, : len(ids)] = ids, 1
            segments[row, len(first) + 2 : len(ids)] = 1
        return token_ids, segments, mask

    def pad_texts(self, texts: Sequence[Ids], longest: int) -> tuple[Ids, Ids]:
        """Put [CLS] and [SEP] around texts, cut what is longer: ids and mask, int32 [B, T]."""
        return pad_rows([[self.cls, *ids[: longest - 2].tolist(), self.sep] for ids in texts], self.pad)


def pad_rows(rows: Sequence[Sequence[int]], pad: int) -> tuple[Ids, Ids]:
    """Rows of one length: ids and mask, int32 [B, T]."""
    width = -(-max(map(len, rows)) // MULTIPLE) * MULTIPLE
    token_ids = np.full((len(rows), width), pad, np.int32)  # [B, T]
    mask = np.zeros((len(rows), width), np.int32)  # [B, T]
    for row, ids in enumerate(rows):
        token_ids[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
    return token_ids, mask


def take_next(
    document: tuple[Ids, Ids], n_body: int, random: np.random.Generator, *, is_later: bool
) -> tuple[Ids, Ids]:
    """A title and the begin of its body, or (`is_later`, where the body is long enough) two parts of the body."""
    title, body = document
    if is_later and len(body) > 2 * SPAN_TOKENS:
        start = int(random.integers(SPAN_TOKENS, len(body) - SPAN_TOKENS))
        return body[start - SPAN_TOKENS : start], body[start : start + n_body]
    return title[: TITLE_TOKENS - N_SPECIAL], body[:n_body]
