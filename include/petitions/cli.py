"""The command `petitions`: the steps of the pipeline by hand, and the answers on screen.

Every command ends with status 0, or with one line on standard error and status 1 (2 for words it does not know).
"""

import logging
import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import click

from petitions import commands
from petitions.errors import PetitionsError


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


def find_commands() -> Iterator[click.Command]:
    """Give what the modules of `petitions.commands` list as COMMANDS, so that a new one is met."""
    for module in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
        yield from getattr(import_module(module.name), "COMMANDS", ())


for command in find_commands():
    main.add_command(command)
