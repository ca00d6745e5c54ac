"""The command `petitions`: the steps of the pipeline by hand, and the answers on screen.

Every command ends with status 0, or with one line on standard error and status 1 (2 for words it does not know).
"""

import codecs
import logging
import os
import pkgutil
import select
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import click

from petitions import commands
from petitions.addresses import hide_logins
from petitions.commands.options import Group
from petitions.encoders.accelerator import ask_no_cloud_without_tpu
from petitions.errors import ConfigError, PetitionsError
from petitions.garbage import collect_nothing_at_end
from petitions.logs import log_to_stderr


class _OneLineErrors(Group):
    """Errors of ours, and those of the system that name a file, become one line; anything else is a bug and shows."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            done = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()  # here, where it is told when it cannot be
            return done
        except BrokenPipeError as error:
            if not _is_reader_gone():
                raise _tell(error) from error
            _drop_output()
        except UnicodeEncodeError as error:
            raise _tell(_name_character(error)) from None
        except (PetitionsError, OSError) as error:
            if isinstance(error, OSError):
                _drop_output()
            raise _tell(error) from error


def _tell(error: Exception) -> click.ClickException:
    return click.ClickException(hide_logins(f"{type(error).__name__}: {error}"))


def _drop_output() -> None:
    """Let what cannot be written go: else the interpreter tries once more at its end, and complains."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _is_reader_gone() -> bool:
    """Whether who read the output has seen enough, such as head: that is no error."""
    poll = select.poll()
    poll.register(1, 0)  # POLLERR is told unasked
    return any(state & (select.POLLERR | select.POLLHUP) for _, state in poll.poll(0))


def _name_character(error: UnicodeEncodeError) -> ConfigError:
    sign = ascii(error.object[error.start])
    if codecs.lookup(error.encoding).name == "utf-8":  # half a surrogate pair: what a word was whose bytes are none
        return ConfigError(f"{sign} is no character of utf-8")
    return ConfigError(f"the output takes {error.encoding} alone, which has no {sign}: set PYTHONIOENCODING=utf-8")


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("-v", "--verbose", is_flag=True, help="Log each step.")
def main(verbose: bool) -> None:
    """What a country petitions about: crawl, find topics, score, publish, ask."""
    log_to_stderr(logging.INFO if verbose else logging.WARNING)
    ask_no_cloud_without_tpu()


def find_commands() -> Iterator[click.Command]:
    """Give what the modules of `petitions.commands` list as COMMANDS, so that a new one is met."""
    for module in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
        yield from getattr(import_module(module.name), "COMMANDS", ())


collect_nothing_at_end()
for command in find_commands():
    main.add_command(command)
