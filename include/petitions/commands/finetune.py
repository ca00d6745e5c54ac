"""The commands `petitions finetune`: a BERT trained further, or heads over other encoders and plain words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from petitions.commands.console import print_rows
from petitions.commands.options import Group, json_option, open_store, read_date, source_option, source_or_setting
from petitions.encoders.quiet_start import import_tensorflow
from petitions.records import Source
from petitions.settings import Settings

if TYPE_CHECKING:
    from petitions.steps.finetune import Days

Command = Callable[..., Any]
path = click.Path(path_type=Path)


@click.group(cls=Group)
def finetune() -> None:
    """Train weights further for a task of your own."""


def learning_options(tasks: Sequence[str]) -> Callable[[Command], Command]:
    """The options that say what is learned, of which petitions, and where it is written."""

    def add(command: Command) -> Command:
        for option in reversed(
            (
                click.option("--task", type=click.Choice(tasks), help="What is to be told."),
                click.option("--labels", "label_file", type=path, help="In place of a task: a CSV with petition_id."),
                click.option("--column", default="label", show_default=True, help="Of that file: the labels."),
                click.option("--output", type=path, required=True, help="Folder; an older one is replaced."),
                source_option,
                click.option("--since", callback=read_date, help="First day to train on.  [default: of the first]"),
                click.option(
                    "--stop-from", callback=read_date, help="First day to stop by.  [default: a month before]"
                ),
                click.option(
                    "--test-from", callback=read_date, help="First day to test on.  [default: a month before]"
                ),
                click.option("--until", callback=read_date, help="First day after these.  [default: after the last]"),
                click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True),
                json_option,
            )
        ):
            command = option(command)
        return command

    return add


@finetune.command()
@learning_options(["category", "moderation", "embedding"])
@click.option("--model", help="Folder or hub name to begin with.  [default: PETITIONS_EMBEDDING_MODEL]")
@click.option("--minutes", type=click.FloatRange(min=0), default=10.0, show_default=True, help="0: the head alone.")
def bert(model: str | None, minutes: float, seed: int, as_json: bool, **asked: Any) -> None:
    """Fine-tune a BERT on categories, moderation or labels of your own; or so that titles find their bodies."""
    order = _Order.read(asked)
    import_tensorflow()
    from petitions.steps.finetune import finetune as run
    from petitions.training.finetune_report import LabelReport, embedding_rows, label_rows
    from petitions.training.label_trainer import FinetuneSettings

    settings = Settings.from_env()
    report = run(
        open_store(),
        order.source,
        order.days,
        task=order.task,
        label_file=order.label_file,
        column=order.column,
        model=model or settings.embedding_model,
        output=order.output,
        settings=FinetuneSettings(minutes=minutes, seed=seed, accelerator=settings.accelerator),
    )
    rows = label_rows(report) if isinstance(report, LabelReport) else embedding_rows(report)
    print_rows(rows, as_json=as_json, title=f"{order.output}, petitions from {report.order.days.test_from} on")


@finetune.command()
@learning_options(["category", "moderation"])
@click.option("--model", help="Folder of an ELMo, which stays as it is.  [default: PETITIONS_ELMO_MODEL]")
@click.option("--beside", default="", help="Parts that are added up with it: words, signs, bert, commas between.")
@click.option("--cache", type=path, help="Folder where vectors are kept, for a run that is killed, or another one.")
def elmo(model: str | None, beside: str, cache: Path | None, seed: int, as_json: bool, **asked: Any) -> None:
    """Fit a head over the layers of an ELMo, to tell categories, moderation or labels of your own."""
    _fit_head(["elmo", *filter(None, beside.split(","))], model, cache, seed, as_json, asked)


@finetune.command()
@learning_options(["category", "moderation"])
@click.option("--parts", default="words,signs", show_default=True, help="Of words, signs, bert, elmo.")
@click.option("--cache", type=path, help="Folder where vectors are kept, for a run that is killed, or another one.")
def stack(parts: str, cache: Path | None, seed: int, as_json: bool, **asked: Any) -> None:
    """Add up regressions over words, signs and vectors, each fitted alone: small, fast, and often hard to beat."""
    _fit_head(parts.split(","), None, cache, seed, as_json, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What the common options ask for."""

    task: str
    label_file: Path | None
    column: str
    output: Path
    source: Source
    days: "Days"

    @classmethod
    def read(cls, asked: dict[str, Any]) -> "_Order":
        """Take the options apart.

        Raises:
            UsageError: neither a task nor a file of labels is given, or both.
        """
        task, label_file = asked["task"], asked["label_file"]
        if (task is None) == (label_file is None):
            raise click.UsageError("give --task or --labels")
        from petitions.steps.finetune import Days

        days = Days(**{name: asked[name] for name in ("since", "stop_from", "test_from", "until")})
        source = source_or_setting(asked["source"])
        return cls(
            task=task or label_file.stem,
            label_file=label_file,
            column=asked["column"],
            output=asked["output"],
            source=source,
            days=days,
        )


def _fit_head(
    kinds: Sequence[str], elmo_model: str | None, cache: Path | None, seed: int, as_json: bool, asked: dict[str, Any]
) -> None:
    order = _Order.read(asked)
    from petitions.steps.finetune import finetune_head
    from petitions.training.finetune_head import HeadSettings
    from petitions.training.head_report import head_rows

    settings = Settings.from_env()
    chosen = HeadSettings(
        kinds=kinds,
        models={"bert": settings.embedding_model, "elmo": elmo_model or settings.elmo_model},
        seed=seed,
        accelerator=settings.accelerator,
        cpu_engine="tensorflow" if settings.cpu_engine == "tensorflow" else "onnxruntime",
        cache=cache,
    )
    report = finetune_head(
        open_store(),
        order.source,
        order.days,
        task=order.task,
        label_file=order.label_file,
        column=order.column,
        output=order.output,
        settings=chosen,
    )
    title = f"{order.output}, petitions from {report.order.days.test_from} on"
    print_rows(head_rows(report), as_json=as_json, title=title)


COMMANDS = (finetune,)
