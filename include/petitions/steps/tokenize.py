"""The step tokenize: the tokens that topics are fitted from."""

from functools import partial

from petitions.steps.step import Run, read_chunks
from petitions.store import tokens
from petitions.text.tokenizer import TOKENIZER, describe_tokenizer, tokenize_many

TOKENIZE_CHUNK = 2_000  # large enough for the tokenizer to use all cores


def tokenize(run: Run) -> int:
    """Tokenize the texts that this tokenizer has not seen; returns how many."""
    with run.step("tokenize") as progress:
        progress.made_by = TOKENIZER
        with run.engine.begin() as conn:
            tokens.record_tokenizer(conn, describe_tokenizer())
        read = partial(tokens.read_untokenized, tokenizer=TOKENIZER, limit=TOKENIZE_CHUNK)
        for chunk in read_chunks(run, read, progress):
            made = tokenize_many([item.whole for item in chunk])
            rows = [
                tokens.PetitionTokens(
                    petition_id=item.petition_id, tokenizer=TOKENIZER, content_hash=item.content_hash, tokens=words
                )
                for item, words in zip(chunk, made, strict=True)
            ]
            with run.engine.begin() as conn:
                tokens.upsert_tokens(conn, rows)
    return progress.rows_out
