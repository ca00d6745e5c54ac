"""Held-out perplexity of an ELMo beside a 5-gram model with modified Kneser-Ney smoothing, over the same words.

    python bench/elmo_perplexity.py WORK [--model FOLDER ...] [--lmplz PATH] [--steps N] [--windows N] [--text FILE ...]

WORK is the folder of the training (`petitions pretrain elmo --work`): its corpus.npz holds the tokens that both models
learn from and those held out; --steps N gives the 5-grams only what the ELMo had read after N steps of 64 windows.
--text FILE (as --corpus of the training takes it) is measured in place of the held-out documents. A word is what
words.txt holds, all others are one unknown word; ends of sentences count, begins do not.

Both are scored on one sample, word for word: what the forward ELMo is asked for in the first --windows N of each of 64
rows that stand side by side in the text (16 in the training's curve; all without it). The 5-grams see the sentence up
to the word, also where it begins before a row does; the ELMo carries its states on from window to window. The backward
ELMo reads as many windows from the other end of each row: other words, unless all are read.

The 5-grams are KenLM's: `pip install kenlm` for the queries, and its program lmplz, built by cmake from the same source
(Boost is needed).
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import kenlm
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.characters import BOS, EOS, to_character_ids
from petitions.encoders.elmo_checkpoint import assign_weights, read_weights
from petitions.encoders.elmo_options import read_options
from petitions.encoders.names import OPTIONS_FILE, WEIGHTS_FILE
from petitions.settings import MODELS
from petitions.sources.lines import split_lines
from petitions.text.tokenizer import Tokenizer
from petitions.training.corpus import read_corpus
from petitions.training.elmo_corpus import Corpus, Ints, number_corpus, read_corpus_file
from petitions.training.elmo_language_model import LanguageModel
from petitions.training.elmo_warm_start import encode_tokens
from petitions.training.elmo_windows import BOS_WORD, EOS_WORD, TokenStream, WindowSampler
from petitions.training.pretrain_elmo import WORDS_FILE

ROWS, WINDOW = 64, 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--model", type=Path, nargs="+", default=[MODELS / "elmo-small"])
    parser.add_argument("--lmplz", default="lmplz")
    parser.add_argument("--steps", type=int, help="of the training; all of the text without it")
    parser.add_argument("--windows", type=int, default=0, help="of each row; all without it")
    parser.add_argument("--text", type=Path, nargs="*")
    args = parser.parse_args()
    words, *others = (split_lines((model / WORDS_FILE).read_text("utf-8")) for model in args.model)
    if any(other != words for other in others):
        raise SystemExit("the models tell other words, so that their perplexities cannot be compared")
    corpus = read_corpus_file(args.work)
    if corpus is None:
        raise SystemExit(f"{args.work} holds no corpus")
    training = _to_words(corpus, words)[_cut(corpus.training, args.steps)]
    if args.text:
        tokenizer = Tokenizer()
        documents = ([tokenizer.morphemes(line) for line in split_lines(text)] for text in read_corpus(args.text))
        corpus = number_corpus(documents)
        measured = np.concatenate([corpus.training, corpus.held_out])
    else:
        measured = corpus.held_out
    of_words = _to_words(corpus, words)
    scored = _find_scored(of_words[measured], args.windows)
    print(
        f"{len(training)} tokens learnt, {len(measured)} held out, {scored.sum()} words scored, "
        f"{np.mean(of_words[measured[scored]] == 0):.3f} of them unknown",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        losses = _measure_grams(training, of_words[measured], args.lmplz, Path(folder))
    print(f"5-grams {np.exp(losses[scored].mean()):.2f}", flush=True)
    for model in args.model:
        forward, backward, n_words = _measure_elmo(model, corpus, measured, of_words, tuple(words), args.windows)
        if n_words != scored.sum():
            raise SystemExit(f"the ELMo was scored on {n_words} words, the 5-grams on {scored.sum()}")
        print(f"{model}: forward {forward:.2f}, backward {backward:.2f}", flush=True)


def _cut(tokens: Ints, steps: int | None) -> Ints:
    """What was read after so many steps: the first part of each row."""
    if steps is None:
        return tokens
    length = len(tokens) // ROWS
    return tokens[: ROWS * length].reshape(ROWS, length)[:, : steps * WINDOW].reshape(-1)


def _find_scored(measured: Ints, n_windows: int) -> npt.NDArray[np.bool_]:
    """Which words the windows of the forward ELMo tell, [N]; as `WindowSampler.held_out` cuts them."""
    n_rows = min(ROWS, len(measured) // (WINDOW + 1))
    length = len(measured) // n_rows
    n_told = WINDOW * min(n_windows or length, (length - 1) // WINDOW)
    scored = np.zeros(len(measured), np.bool_)
    scored[: n_rows * length].reshape(n_rows, length)[:, 1 : n_told + 1] = True
    return scored & (measured != BOS_WORD)


def _to_words(corpus: Corpus, words: list[str]) -> Ints:
    """The word of each distinct token."""
    index = {word: number for number, word in enumerate(words) if number > EOS_WORD}
    return np.array([BOS_WORD, EOS_WORD, *(index.get(token, 0) for token in corpus.tokens)], np.int32)


def _sentences(tokens: Ints) -> Iterator[str]:
    starts = np.flatnonzero(tokens == BOS_WORD)
    for start, end in pairwise([*starts, len(tokens)]):
        sentence = tokens[start + 1 : end]
        yield " ".join(map(str, sentence[sentence != EOS_WORD]))


def _measure_grams(training: Ints, measured: Ints, lmplz: str, folder: Path) -> npt.NDArray[np.float64]:
    """The loss in nats of each word, [N]; that of the begin of a sentence is no number."""
    text, arpa = folder / "text", folder / "grams.arpa"
    text.write_text("\n".join(_sentences(training)) + "\n")
    command = [lmplz, "-o", "5", "-S", "2G", "-T", str(folder), "--text", str(text), "--arpa", str(arpa)]
    subprocess.run(command, check=True, capture_output=True)
    model = kenlm.Model(str(arpa))
    losses = [np.array([])]
    for sentence in _sentences(measured):
        found = [score for score, _, _ in model.full_scores(sentence)]  # log10, the end counted
        losses.append(np.array([np.nan, *found]) * -np.log(10))
    return np.concatenate(losses)


def _measure_elmo(
    folder: Path, corpus: Corpus, measured: Ints, of_words: Ints, words: tuple[str, ...], n_windows: int
) -> tuple[float, float, int]:
    """Forward and backward perplexity, and how many words the forward one is of."""
    options, weights = read_options(folder / OPTIONS_FILE), read_weights(folder / WEIGHTS_FILE)
    model = LanguageModel(options, np.ones(len(words), np.int64), n_sampled=1, dropout=0.0)
    assign_weights(model.elmo.weights_by_name(), weights)
    model.kernel.assign(weights["softmax/W"])
    model.bias.assign(weights["softmax/b"])
    tokens = [BOS, EOS, *corpus.tokens]
    used, places = np.unique(measured, return_inverse=True)
    renumbered = places.astype(np.int32)
    stream = TokenStream(
        spelled=to_character_ids([tokens[token] for token in used], options.max_characters).astype(np.uint16),
        words=words,
        word_of_token=of_words[used],
        counts=np.zeros(len(used), np.int64),
        training=renumbered,
        held_out=renumbered,
        only_words=renumbered[:0],
    )
    vectors = encode_tokens(model.elmo.characters, stream)

    @tf.function
    def measure(tokens: tf.Tensor, targets: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        tops, ends = model.read(tokens, states, training=False)
        return model.measure(tops, tf.reshape(targets, [2, -1])), ends

    sampler = WindowSampler(stream, batch_size=ROWS, window=WINDOW)
    states, sums = model.elmo.zero_states(sampler.n_held_out_rows), np.zeros((2, 3))
    for batch in sampler.held_out(n_windows or len(measured)):
        found, states = measure(tf.constant(vectors[batch.tokens]), tf.constant(batch.targets), states)
        sums += found.numpy()
    loss, _, n_words = sums.T
    forward, backward = np.exp(loss / n_words).tolist()
    return forward, backward, int(n_words[0])


if __name__ == "__main__":
    main()
