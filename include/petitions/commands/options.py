"""The options that commands share, and what they open: settings, results database, pipeline."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import click

from petitions.errors import ConfigError
from petitions.garbage import collect_seldom
from petitions.records import Source
from petitions.settings import Settings, TopicCount, read_topic_count
from petitions.sources.registry import SOURCES, find_source

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from petitions.pipeline import Pipeline

Command = Callable[..., None]


def read_source(ctx: click.Context, param: click.Parameter, name: str | None) -> Source | None:
    """Take the value of --source; none where the option is not given."""
    return find_source(name, "--source") if name else None


def read_date(ctx: click.Context, param: click.Parameter, text: str | None) -> date | None:
    """Take the value of an option that is a day."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigError(f"--{param.name} must be a date YYYY-MM-DD, got {text!r}") from None


def _read_topics(ctx: click.Context, param: click.Parameter, text: str | None) -> TopicCount | None:
    try:
        return read_topic_count(text) if text else None
    except ValueError:
        raise ConfigError(f"--{param.name} must be a number or auto, got {text!r}") from None


def make_source_option(default: str) -> Callable[[Command], Command]:
    """The option --source; `default` says what holds without it."""
    return click.option("--source", callback=read_source, help=f"{', '.join(SOURCES)}.  [default: {default}]")


source_option = make_source_option("PETITIONS_SOURCE")
any_source_option = make_source_option("all")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
count_option = click.option("-k", "--count", type=click.IntRange(1, 1000), default=10, show_default=True)


class Group(click.Group):
    """A group whose list of commands gives the whole first sentence of each: Click cuts it."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(limit=1000)) for name, command in found if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


topics_option = click.option(
    "--topics", callback=_read_topics, help="Number of topics, or auto.  [default: PETITIONS_TOPICS]"
)


def window_options(command: Command) -> Command:
    """The options that say which petitions a step works on."""
    for option in (
        click.option("--months", type=int, default=3, show_default=True, help="Length of the window."),
        click.option("--until", callback=read_date, help="First day after the window.  [default: today in Seoul]"),
        source_option,
    ):
        command = option(command)
    return command


def source_or_setting(source: Source | None) -> Source:
    """The source that an option names, else the setting."""
    return source or Source(Settings.from_env().source)


def open_store() -> "Engine":
    """The results database, its schema checked."""
    from petitions.store.database import open_engine, require_schema

    engine = open_engine(Settings.from_env().database_url)
    require_schema(engine)
    return engine


def open_pipeline(
    until: date | None, months: int, source: Source | None, topics: TopicCount | None = None
) -> "Pipeline":
    """Connect; without `until` the window ends today in Seoul."""
    collect_seldom()
    from petitions.pipeline import Pipeline, today_in_seoul

    return Pipeline.open(until=until or today_in_seoul(), months=months, source=source, topics=topics)
