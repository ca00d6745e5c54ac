"""Masked words of two models with vocabularies of their own, over the same words of the same petitions.

    PYTHONPATH=include python bench/masked_words.py FIRST SECOND --petitions FILE.jsonl [-n 300]

A word is a run of letters and digits, and no sign: a mask over a full stop is filled by anything. Of a title and 260
characters from somewhere in its body, 12 % of the body's words are masked, each with all its pieces at once. A word
counts where both models cut it off from what stands beside it, and neither reads [UNK]. "exact" is the share of words
whose pieces all are the first guess; "bits" what a word costs, divided by its characters, so that few long pieces and
many short ones can be compared. What was masked is never left or replaced, as it is in training, where a tenth of the
answers stand in the question.
"""

import argparse
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.bert import MaskedLmHead
from petitions.encoders.bert_checkpoint import name_masked_lm, read_checkpoint
from petitions.training.sources import clean, read_rows
from petitions.training.trained_network import find_network, open_encoder

WORD = re.compile(r"[0-9A-Za-z가-힣]+")
CHARACTERS, LEAST = 260, 60
SHARE = 0.12  # of the words are masked
TITLE_PIECES = 60
ROWS = 16
DRAWS = 500  # of the words, for standard errors

Spans = list[tuple[int, int]]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A title, a part of its body, and where its masked words stand there."""

    title: str
    part: str
    spans: Spans


class Filler:
    """A network, its masked-word head and its tokenizer."""

    def __init__(self, folder: Path) -> None:
        encoder = open_encoder(folder, "cpu")
        self.name, self.tokenizer, self.bert = encoder.name, encoder.tokenizer, find_network(encoder)
        self.head = MaskedLmHead(self.bert.size)
        self.embeddings = tf.convert_to_tensor(self.bert.word_embeddings.embeddings)
        self.head(tf.zeros([1, self.bert.size.hidden_size]), self.embeddings)  # makes its variables
        read_checkpoint(folder).fill(name_masked_lm(self.head))

    def frame(self, example: Example) -> tuple[list[int], int, list[list[int]]]:
        """Pieces, where the second text begins, and the places of each word; none where it is not cut off alone."""
        backend, tokenizer = self.tokenizer.backend_tokenizer, self.tokenizer
        title = backend.encode(example.title, add_special_tokens=False).ids[:TITLE_PIECES]
        part = backend.encode(example.part, add_special_tokens=False)
        n_first = len(title) + 2
        ids = [tokenizer.cls_token_id, *title, tokenizer.sep_token_id, *part.ids, tokenizer.sep_token_id]
        words = []
        for begin, end in example.spans:
            inside = [i for i, (start, stop) in enumerate(part.offsets) if start < end and stop > begin]
            is_alone = all(begin <= part.offsets[i][0] and part.offsets[i][1] <= end for i in inside)
            is_known = all(part.tokens[i] != tokenizer.unk_token for i in inside)
            fits = inside and n_first + inside[-1] < self.bert.size.n_positions - 1
            words.append([n_first + i for i in inside] if is_alone and is_known and fits else [])
        return ids[: self.bert.size.n_positions], n_first, words

    def measure(self, examples: Sequence[Example], counts: Sequence[Sequence[bool]]) -> Floats:
        """Whether each word is the first guess, and its bits: float64 [words that count, 2]."""
        rows = [(self.frame(example), count) for example, count in zip(examples, counts, strict=True)]
        parts = (rows[start : start + ROWS] for start in range(0, len(rows), ROWS))
        return np.array([word for part in parts for word in self._measure(part)])

    def _measure(
        self, rows: Sequence[tuple[tuple[list[int], int, list[list[int]]], Sequence[bool]]]
    ) -> Iterator[Floats]:
        width = max(len(ids) for (ids, _, _), _ in rows)
        token_ids, segments, mask = np.zeros((3, len(rows), width), np.int32)
        for row, ((ids, n_first, words), _) in enumerate(rows):
            token_ids[row, : len(ids)], mask[row, : len(ids)], segments[row, n_first : len(ids)] = ids, 1, 1
            token_ids[row, [place for places in words for place in places]] = self.tokenizer.mask_token_id
        hidden = self.bert(token_ids, segments, mask)  # [B, T, D]
        for row, ((ids, _, words), count) in enumerate(rows):
            for places in (places for places, counts in zip(words, count, strict=True) if counts):
                logits = self.head(tf.gather(hidden[row], places), self.embeddings).numpy().astype(np.float64)  # [P, V]
                gold = np.array(ids)[places]
                logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
                yield np.array([(logits.argmax(axis=1) == gold).all(), -logs[range(len(gold)), gold].sum() / np.log(2)])


def draw_examples(path: Path, n: int) -> list[Example]:
    """Examples of the petitions of a file, the same in every run."""
    chance = random.Random(3)
    rows = [(clean(str(row["title"])), clean(str(row["content"]))) for row in read_rows(path)]
    rows = [(title, body) for title, body in rows if title and len(body) > LEAST]
    chance.shuffle(rows)
    examples = []
    for title, body in rows[:n]:
        start = chance.randrange(max(1, len(body) - CHARACTERS))
        part = body[start : start + CHARACTERS]
        spans = [match.span() for match in WORD.finditer(part)][1:-1]  # the outermost may be cut
        if spans:
            chosen = sorted(chance.sample(spans, max(1, round(SHARE * len(spans)))))
            examples.append(Example(title=title, part=part, spans=chosen))
    return examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs=2, type=Path)
    parser.add_argument("--petitions", type=Path, required=True)
    parser.add_argument("-n", type=int, default=300)
    args = parser.parse_args()
    examples = draw_examples(args.petitions, args.n)
    fillers = [Filler(folder) for folder in args.models]
    framed = [[filler.frame(example)[2] for example in examples] for filler in fillers]
    counts = [[bool(one and two) for one, two in zip(*words, strict=True)] for words in zip(*framed, strict=True)]
    lengths = np.array(
        [
            end - begin
            for example, count in zip(examples, counts, strict=True)
            for (begin, end), does in zip(example.spans, count, strict=True)
            if does
        ]
    )
    measured = [filler.measure(examples, counts) for filler in fillers]
    for filler, found in zip(fillers, measured, strict=True):
        print(
            f"{filler.name}: of {len(found)} words exact {found[:, 0].mean():.4f}, "
            f"bits a character {found[:, 1].sum() / lengths.sum():.3f}"
        )
    gain = measured[1] - measured[0]
    rng, drawn = np.random.default_rng(0), []
    for _ in range(DRAWS):
        chosen = rng.integers(len(gain), size=len(gain))
        drawn.append((gain[chosen, 0].mean(), gain[chosen, 1].sum() / lengths[chosen].sum()))
    errors = np.std(drawn, axis=0)
    print(
        f"second less first: exact {gain[:, 0].mean():+.4f} ± {errors[0]:.4f}, "
        f"bits a character {gain[:, 1].sum() / lengths.sum():+.3f} ± {errors[1]:.3f}"
    )


if __name__ == "__main__":
    main()
