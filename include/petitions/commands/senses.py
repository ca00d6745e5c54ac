"""The command that tells what a word means in the stored petitions: senses."""

import click

from petitions.commands.console import print_rows
from petitions.commands.options import any_source_option, json_option, open_store
from petitions.records import Source
from petitions.settings import Settings

MOST_SENSES = 10


@click.command()
@click.argument("word")
@click.option(
    "-k", "--senses", "n_senses", type=click.IntRange(1, MOST_SENSES), help="How many.  [default: found, 1 to 5]"
)
@any_source_option
@json_option
def senses(word: str, n_senses: int | None, source: Source | None, as_json: bool) -> None:
    """Print what WORD means in the stored petitions: each sense, its share, the words beside it, three sentences.

    The senses are stored too: petitions.current_word_sense has those that were asked for.
    """
    from petitions.steps.senses import find_senses, read_word
    from petitions.steps.step import now

    read_word(word)
    found = find_senses(open_store(), Settings.from_env(), word, source, n_senses, at=now())
    rows = [
        {
            "sense": number,
            "share": sense.share,
            "n_occurrences": sense.n_occurrences,
            "neighbours": list(sense.neighbours),
        }
        for number, sense in enumerate(found.stored.senses, start=1)
    ]
    if as_json:
        of_word = {"word": found.stored.word, "n_found": found.stored.n_found, "encoder": found.stored.encoder}
        told = zip(rows, found.stored.senses, found.sentences, strict=True)
        print_rows(
            [
                {**of_word, **row, "petition_ids": list(sense.petition_ids), "sentences": list(sentences)}
                for row, sense, sentences in told
            ],
            as_json=True,
        )
        return
    print_rows(rows, title=f"{found.stored.word}: {found.stored.n_found} occurrences")
    for row, sentences in zip(rows, found.sentences, strict=True):
        for sentence in sentences:
            click.echo(f"{row['sense']}  {sentence}")


COMMANDS = (senses,)
