"""The commands that ask BERT's two heads, as in the study note: fill (masked words) and next (next sentence)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from petitions.commands.console import print_rows
from petitions.commands.many import Pair, read_pairs, write_rows
from petitions.commands.options import count_option, json_option
from petitions.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCORED_AT_ONCE = 4_096  # pairs: batches of one length are filled from them


@click.command()
@click.argument("text")
@count_option
@json_option
def fill(text: str, count: int, as_json: bool) -> None:
    """Print the likeliest words for the one [MASK] in TEXT."""
    from petitions.encoders.bert_encoder import load_bert
    from petitions.scoring.masked_lm import fill_mask

    settings = Settings.from_env()
    bert = load_bert(settings.bert_model, settings.accelerator, cpu_engine=settings.cpu_engine)
    fillings = fill_mask(bert, [text], count)[0]
    print_rows([{"token": item.token, "probability": item.probability} for item in fillings], as_json=as_json)


@click.command("next")
@click.argument("first", required=False)
@click.argument("second", required=False)
@click.option("--input", "input_", type=click.Path(path_type=Path), help="A pair a line: first, tab, second.")
@click.option("--output", type=click.Path(path_type=Path), help="An .npy file, float32 [lines].")
@json_option
def next_(first: str | None, second: str | None, input_: Path | None, output: Path | None, as_json: bool) -> None:
    """Print the probability that SECOND follows FIRST and its label, 0 if so; or write those of the pairs of a file.

    Where a pair has more tokens than the network has positions, SECOND keeps its beginning.
    """
    n_texts, n_files = (sum(given is not None for given in pair) for pair in ((first, second), (input_, output)))
    if (n_texts, n_files) not in ((2, 0), (0, 2)):
        raise click.UsageError("give FIRST and SECOND, or --input and --output")

    def load() -> "Callable[[list[Pair]], NDArray[np.float32]]":
        from petitions.encoders.bert_encoder import load_bert
        from petitions.scoring.next_sentence import score_next_sentence

        settings = Settings.from_env()  # the models are those of the stored scores
        bert = load_bert(
            settings.bert_model, settings.accelerator, settings.embedding_model, cpu_engine=settings.cpu_engine
        )
        return partial(score_next_sentence, bert)

    if input_ is not None and output is not None:
        write_rows(partial(read_pairs, input_), load, output, SCORED_AT_ONCE)
    elif first is not None and second is not None:
        is_next = float(load()([(first, second)])[0])
        print_rows([{"is_next": is_next, "label": int(is_next < 0.5)}], as_json=as_json)


COMMANDS = (fill, next_)
