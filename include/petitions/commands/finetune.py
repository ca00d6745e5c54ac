"""The command `petitions finetune bert`: a BERT trained further on stored petitions and their labels."""

from datetime import date
from pathlib import Path

import click

from petitions.commands.console import print_rows
from petitions.commands.options import Group, json_option, open_store, read_date, source_option, source_or_setting
from petitions.records import Source
from petitions.settings import Settings

path = click.Path(path_type=Path)


@click.group(cls=Group)
def finetune() -> None:
    """Train weights further for a task of your own."""


@finetune.command()
@click.option("--task", type=click.Choice(["category", "moderation", "embedding"]), help="What is to be told.")
@click.option("--labels", "label_file", type=path, help="In place of a task: a CSV of petition_id,label.")
@click.option("--output", type=path, required=True, help="Folder of weights and report; an older one is replaced.")
@click.option("--model", help="Folder or hub name to begin with.  [default: PETITIONS_EMBEDDING_MODEL]")
@source_option
@click.option("--since", callback=read_date, help="First day to train on.  [default: of the first petition]")
@click.option("--stop-from", callback=read_date, help="First day to stop by.  [default: a month before the next]")
@click.option("--test-from", callback=read_date, help="First day to test on.  [default: a month before the next]")
@click.option("--until", callback=read_date, help="First day after these.  [default: after the last petition]")
@click.option("--minutes", type=click.FloatRange(min=0), default=10.0, show_default=True, help="0: the head alone.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@json_option
def bert(
    task: str | None,
    label_file: Path | None,
    output: Path,
    model: str | None,
    source: Source | None,
    since: date | None,
    stop_from: date | None,
    test_from: date | None,
    until: date | None,
    minutes: float,
    seed: int,
    as_json: bool,
) -> None:
    """Fine-tune a BERT on categories, moderation or labels of your own; or so that titles find their bodies."""
    if (task is None) == (label_file is None):
        raise click.UsageError("give --task or --labels")
    from petitions.steps.finetune import Days
    from petitions.steps.finetune import finetune as run
    from petitions.training.finetune_report import LabelReport, embedding_rows, label_rows
    from petitions.training.label_trainer import FinetuneSettings

    settings = Settings.from_env()
    report = run(
        open_store(),
        source_or_setting(source),
        Days(since=since, stop_from=stop_from, test_from=test_from, until=until),
        task=task or label_file.stem,  # type: ignore[union-attr]  # one of the two is there
        label_file=label_file,
        model=model or settings.embedding_model,
        output=output,
        settings=FinetuneSettings(minutes=minutes, seed=seed, accelerator=settings.accelerator),
    )
    rows = label_rows(report) if isinstance(report, LabelReport) else embedding_rows(report)
    print_rows(rows, as_json=as_json, title=f"{output}, petitions from {report.order.days.test_from} on")


COMMANDS = (finetune,)
