"""The step tokenize: the tokens that topics are fitted from, the words that petitions are found by, whom they name."""

from dataclasses import replace
from functools import partial

from petitions.steps.step import CHUNK, Progress, Run, read_chunks
from petitions.store import tokens, vectors, words
from petitions.store.mentions import upsert_mentions
from petitions.store.topic_reads import read_published
from petitions.text.bm25 import weigh_words
from petitions.text.search_words import SEARCH_TOKENIZER, split_many
from petitions.text.tokenizer import TOKENIZER, describe_tokenizer, tokenize_many

TOKENIZE_CHUNK = 2_000  # large enough for the tokenizer to use all cores


def tokenize(run: Run) -> int:
    """Tokenize the texts that the tokenizers, of topics and of search, have not seen; returns how many of topics'."""
    with run.step("tokenize") as progress:
        progress.made_by = TOKENIZER
        with run.engine.begin() as conn:
            tokens.record_tokenizer(conn, describe_tokenizer())
        read = partial(tokens.read_untokenized, tokenizer=TOKENIZER, limit=TOKENIZE_CHUNK)
        for chunk in read_chunks(run, read, progress):
            made = tokenize_many([item.whole for item in chunk])
            rows = [
                tokens.PetitionTokens(
                    petition_id=item.petition_id, tokenizer=TOKENIZER, content_hash=item.content_hash, tokens=found
                )
                for item, found in zip(chunk, made, strict=True)
            ]
            with run.engine.begin() as conn:
                tokens.upsert_tokens(conn, rows)
        _find_words(run)
        _find_mentions(run)
        _complete_published(run)
    return progress.rows_out


def _complete_published(run: Run) -> None:
    """The same for what readers see now; where it had no words, as after an upgrade, they are counted too."""
    with run.engine.connect() as conn:
        published = read_published(conn, run.source)
        n_without = words.read_without_words(conn).get(run.source, 0)
    if published is None:
        return
    shown = replace(run, window=published.window)
    _find_words(shown)
    _find_mentions(shown)
    if n_without:  # else counting waits for the checks of the run
        with run.engine.begin() as conn:
            vectors.ensure_index(conn, published.encoders[0])


def _find_mentions(run: Run) -> None:
    """Find whom and which regions the texts name for which this was not done yet."""
    after = ""
    while True:
        with run.engine.begin() as conn:
            done = upsert_mentions(conn, run.source, run.window, after=after, limit=CHUNK)
        if not done:
            return
        after = done[-1]


def _find_words(run: Run) -> None:
    """Find and weigh the words of the texts that the tokenizer of search has not seen."""
    read = partial(words.read_unsplit, tokenizer=SEARCH_TOKENIZER, limit=TOKENIZE_CHUNK)
    for chunk in read_chunks(run, read, Progress()):
        titles = split_many([item.title for item in chunk])
        bodies = split_many([item.below_title for item in chunk])
        rows = [
            words.PetitionWords(
                petition_id=item.petition_id,
                tokenizer=SEARCH_TOKENIZER,
                content_hash=item.content_hash,
                weights=weigh_words(title, body),
            )
            for item, title, body in zip(chunk, titles, bodies, strict=True)
        ]
        with run.engine.begin() as conn:
            words.upsert_words(conn, rows)
