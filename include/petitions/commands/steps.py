"""The steps of a run by hand: crawl, tokenize, find-copies, fit-topics, encode, score, check, publish; and run: all."""

from pathlib import Path
from typing import Any

import click

from petitions.commands.options import Command, open_pipeline, topics_option, window_options
from petitions.encoders.registry import ENCODERS


@click.command()
@window_options
@click.option("--replay", is_flag=True, help="Read the archive of raw answers, or FILES alone; ask no site.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def crawl(replay: bool, files: tuple[Path, ...], **window: Any) -> None:
    """Fetch what is new or may have changed in the window.

    FILES are WARC or WACZ files of any tool, for --replay: their answers go into the archive.
    """
    if files and not replay:
        raise click.UsageError("FILES are read by --replay alone")
    click.echo(f"{open_pipeline(**window).crawl(is_replay=replay, recorded=files)} petitions read")


@click.command()
@window_options
def tokenize(**window: Any) -> None:
    """Tokenize the texts that this tokenizer has not seen."""
    click.echo(f"{open_pipeline(**window).tokenize()} petitions tokenized")


@click.command("find-copies")
@window_options
def find_copies(**window: Any) -> None:
    """Find the petitions of the window that say the same."""
    click.echo(f"{open_pipeline(**window).find_copies()} pairs of copies")


@click.command("fit-topics")
@window_options
@topics_option
def fit_topics(**window: Any) -> None:
    """Fit the topics of the window; print the model_id."""
    click.echo(open_pipeline(**window).fit_topics())


def _encoder_option(command: Command) -> Command:
    """Which encoder; both when none is named."""
    choice = click.Choice([*ENCODERS, "both"])
    return click.option("--encoder", type=choice, default="both", show_default=True)(command)


@click.command()
@window_options
@_encoder_option
def encode(encoder: str, **window: Any) -> None:
    """Embed the texts that the encoder has not seen, and give them scores, keywords and labels of a text alone."""
    pipeline = open_pipeline(**window)
    for kind in ENCODERS if encoder == "both" else (encoder,):
        click.echo(f"{pipeline.encode(kind)} petitions encoded by {kind}")
    for kind in pipeline.text_scorers:
        if encoder in ("both", kind):
            click.echo(f"{pipeline.score_texts(kind)} petitions scored by {kind}")


@click.command()
@window_options
@_encoder_option
def score(encoder: str, **window: Any) -> None:
    """Score how near the petitions of the window stand to their topic, by the window's fit."""
    pipeline = open_pipeline(**window)
    for kind in ENCODERS if encoder == "both" else (encoder,):
        click.echo(f"{pipeline.score_similarity(pipeline.read_model_id(), kind)} scores by {kind}")


@click.command()
@window_options
@click.option("--model", help="Check this fit, of any window.  [default: the window's last]")
def check(model: str | None, **window: Any) -> None:
    """Audit a fit and what the run wrote; status 1 names the checks that failed."""
    pipeline = open_pipeline(**window)
    if model:
        pipeline = pipeline.of_fit(model)
    click.echo(f"{pipeline.check(model or pipeline.read_model_id())} checks passed")


@click.command()
@window_options
@click.option("--model", help="Publish this fit, of any window.  [default: the window's last]")
def publish(model: str | None, **window: Any) -> None:
    """Switch the readers to a fit that passed its checks."""
    pipeline = open_pipeline(**window)
    if model:
        pipeline = pipeline.of_fit(model)
    model = model or pipeline.read_model_id()
    pipeline.publish(model)
    click.echo(f"published {model}")


@click.command()
@window_options
@topics_option
def run(**window: Any) -> None:
    """All steps, as the DAG runs them: the fit beside encode."""
    click.echo(f"published {open_pipeline(**window).run()}")


COMMANDS = (crawl, tokenize, find_copies, fit_topics, encode, score, check, publish, run)
