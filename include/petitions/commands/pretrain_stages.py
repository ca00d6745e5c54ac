"""`petitions pretrain vocabulary|teach|stage|export|mean|calibrate`: the small BERT that ships, made again."""

from pathlib import Path

import click

from petitions.encoders.quiet_start import import_tensorflow
from petitions.settings import Settings

path = click.Path(path_type=Path)
data_option = click.option("--data", type=path, required=True, help="Folder of the training data.")
work_option = click.option("--work", type=path, required=True, help="Folder for vocabulary, vectors and state.")
teacher_option = click.option("--teacher", type=path, required=True, help="Folder of a BERT that embeds sentences.")


@click.command()
@data_option
@work_option
def vocabulary(data: Path, work: Path) -> None:
    """Step 1: train the word pieces."""
    import_tensorflow()
    from petitions.training.stages import Recipe, make_vocabulary

    make_vocabulary(data, work, Recipe())


@click.command()
@data_option
@teacher_option
@work_option
def teach(data: Path, teacher: Path, work: Path) -> None:
    """Step 2: compute the teacher's vectors; stop when there are enough, and go on when you like."""
    import_tensorflow()
    from petitions.training.stages import Recipe
    from petitions.training.stages import teach as compute

    compute(data, teacher, work, Recipe(accelerator=Settings.from_env().accelerator))


@click.command()
@click.argument("name", type=click.Choice(["distil", "match", "follow", "refine", "fill"]))
@data_option
@teacher_option
@work_option
@click.option(
    "--steps", type=click.IntRange(min=1), help="Of this stage; the default is what one core does in an hour."
)
def stage(name: str, data: Path, teacher: Path, work: Path, steps: int | None) -> None:
    """Step 3: train one stage; a run that was stopped goes on from its last checkpoint."""
    from dataclasses import replace

    import_tensorflow()
    from petitions.training.stages import STAGES, Recipe, train

    chosen = replace(STAGES[name], n_steps=steps) if steps else STAGES[name]
    train(data, teacher, work, chosen, Recipe(accelerator=Settings.from_env().accelerator))


@click.command()
@teacher_option
@work_option
@click.option("--output", type=path, required=True, help="Folder of the model.")
@click.option(
    "--heads",
    type=click.Choice(["none", "next", "both"]),
    default="next",
    show_default=True,
    help="Those that were trained.",
)
def export(teacher: Path, work: Path, output: Path, heads: str) -> None:
    """Step 4: write the model that was trained as a folder that PETITIONS_BERT_MODEL may name."""
    import_tensorflow()
    from petitions.training.stages import Recipe
    from petitions.training.stages import export as write

    progress = write(teacher, work, output, Recipe(), heads=heads)
    click.echo(
        f"{progress.stage}, step {progress.step}, {progress.n_tokens} tokens, {progress.seconds / 3600:.2f} hours"
    )


@click.command()
@click.argument("first", type=path)
@click.argument("second", type=path)
@click.option("--share", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Of the second.")
@click.option("--output", type=path, required=True, help="Folder of the model.")
def mean(first: Path, second: Path, share: float, output: Path) -> None:
    """Step 5: write the mean of the weights before (FIRST) and after (SECOND) one more stage."""
    from petitions.training.weight_mean import write_mean

    write_mean(first, second, share, output)


@click.command()
@data_option
@click.option("--output", type=path, required=True, help="Folder of the model, whose weights are changed.")
def calibrate(data: Path, output: Path) -> None:
    """Step 6: weigh the network and the letters that both texts share, for next sentence."""
    import_tensorflow()
    from petitions.training.overlap_fit import calibrate as fit

    weights = fit(output, data, accelerator=Settings.from_env().accelerator)
    click.echo("network {:.3f}, shared letters {:.3f}, constant {:.3f}".format(*weights))


STAGE_COMMANDS = (vocabulary, teach, stage, export, mean, calibrate)
