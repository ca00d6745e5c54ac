"""The command `petitions`: the steps of the pipeline by hand, and the answers on screen.

Every command ends with status 0, or with one line on standard error and status 1 (2 for words it does not know).
"""

import logging
import sys
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from petitions.commands import answers, archive, export, pretrain, prune, report, tour
from petitions.errors import ConfigError, PetitionsError
from petitions.records import Source
from petitions.settings import Settings, TopicCount, read_topic_count

if TYPE_CHECKING:
    from petitions.pipeline import Pipeline

Command = Callable[..., None]


class _OneLineErrors(click.Group):
    """Errors of ours, and those of the system that name a file, become one line; anything else is a bug and shows."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (PetitionsError, OSError) as error:
            raise click.ClickException(f"{type(error).__name__}: {error}") from error


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("-v", "--verbose", is_flag=True, help="Log each step.")
def main(verbose: bool) -> None:
    """What a country petitions about: crawl, find topics, score, publish, ask."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("petitions").setLevel(logging.INFO if verbose else logging.WARNING)


def _date(ctx: click.Context, param: click.Parameter, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigError(f"--{param.name} must be a date YYYY-MM-DD, got {text!r}") from None


def _topics(ctx: click.Context, param: click.Parameter, text: str | None) -> TopicCount | None:
    try:
        return read_topic_count(text) if text else None
    except ValueError:
        raise ConfigError(f"--{param.name} must be a number or auto, got {text!r}") from None


def window_options(command: Command) -> Command:
    """The options that say which petitions a step works on."""
    for option in (
        click.option("--topics", callback=_topics, help="Number of topics, or auto.  [default: PETITIONS_TOPICS]"),
        click.option("--months", type=int, default=3, show_default=True, help="Length of the window."),
        click.option("--until", callback=_date, help="First day after the window.  [default: today in Seoul]"),
        click.option("--source", help=f"{', '.join(Source)}.  [default: PETITIONS_SOURCE]"),
    ):
        command = option(command)
    return command


def open_pipeline(until: date | None, months: int, source: str | None, topics: TopicCount | None) -> "Pipeline":
    """Connect; without `until` the window ends today in Seoul."""
    from petitions.pipeline import Pipeline, today_in_seoul

    return Pipeline.open(until=until or today_in_seoul(), months=months, source=source, topics=topics)


@main.command()
@window_options
@click.option("--replay", is_flag=True, help="Read the archive of raw answers; ask no site.")
def crawl(replay: bool, **window: Any) -> None:
    """Fetch what is new or may have changed in the window."""
    click.echo(f"{open_pipeline(**window).crawl(is_replay=replay)} petitions read")


@main.command()
@window_options
def tokenize(**window: Any) -> None:
    """Tokenize the texts that this tokenizer has not seen."""
    click.echo(f"{open_pipeline(**window).tokenize()} petitions tokenized")


@main.command("fit-topics")
@window_options
def fit_topics(**window: Any) -> None:
    """Fit the topics of the window; print the model_id."""
    click.echo(open_pipeline(**window).fit_topics())


def encoder_option(command: Command) -> Command:
    """Which encoder; both when none is named."""
    choice = click.Choice(["bert", "elmo", "both"])
    return click.option("--encoder", type=choice, default="both", show_default=True)(command)


@main.command()
@window_options
@encoder_option
def encode(encoder: str, **window: Any) -> None:
    """Embed the texts that the encoder has not seen."""
    pipeline = open_pipeline(**window)
    for kind in ("bert", "elmo") if encoder == "both" else (encoder,):
        click.echo(f"{pipeline.encode(kind)} petitions encoded by {kind}")


@main.command()
@window_options
@encoder_option
def score(encoder: str, **window: Any) -> None:
    """Score the petitions of the window, topic similarity by the window's fit."""
    pipeline = open_pipeline(**window)
    for kind in ("bert", "elmo") if encoder == "both" else (encoder,):
        click.echo(f"{pipeline.score(pipeline.read_model_id(), kind)} scores and keywords by {kind}")


@main.command()
@window_options
def check(**window: Any) -> None:
    """Audit what the run wrote; status 1 names the checks that failed."""
    pipeline = open_pipeline(**window)
    click.echo(f"{pipeline.check(pipeline.read_model_id())} checks passed")


@main.command()
@window_options
@click.option("--model", help="Publish this fit, an older one too.  [default: the window's]")
def publish(model: str | None, **window: Any) -> None:
    """Switch the readers to a fit that passed its checks."""
    if model is None:
        pipeline = open_pipeline(**window)
        model = pipeline.read_model_id()
        pipeline.publish(model)
    else:
        from petitions.pipeline import STEPS_PUBLISHED, now
        from petitions.store.publishing import publish_checked

        with answers.open_store().begin() as conn:
            publish_checked(conn, model, STEPS_PUBLISHED, at=now())
    click.echo(f"published {model}")


@main.command()
@window_options
def run(**window: Any) -> None:
    """All steps in order, as the DAG runs them."""
    click.echo(f"published {open_pipeline(**window).run()}")


@main.group()
def db() -> None:
    """The results database."""


@db.command()
def upgrade() -> None:
    """Bring the schema to this version; starts the embedded Postgres where no database is named."""
    from petitions.store.database import open_engine, schema_status, upgrade

    engine = open_engine(Settings.from_env().database_url)
    upgrade(engine)
    click.echo(f"schema at {schema_status(engine).current}")


@db.command()
def status() -> None:
    """Say which schema version the database has, and which this code knows; status 1 when they differ."""
    from petitions.store.database import open_engine, require_schema, schema_status

    engine = open_engine(Settings.from_env().database_url)
    found = schema_status(engine)
    click.echo(f"database: {found.current or 'no schema'}, code: {found.head}")
    require_schema(engine)


@db.command()
def stop() -> None:
    """Stop the embedded Postgres."""
    from petitions.store.embedded import stop_server

    stop_server()


@db.command()
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the results; ARGUMENTS go to psql (after --)."""
    from petitions.store.embedded import run_psql

    sys.exit(run_psql(Settings.from_env().database_url, arguments))


for command in (
    *answers.COMMANDS,
    *archive.COMMANDS,
    *export.COMMANDS,
    *report.COMMANDS,
    *prune.COMMANDS,
    *pretrain.COMMANDS,
    tour.tour,
    tour.doctor,
):
    main.add_command(command)
