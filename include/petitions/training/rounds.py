"""The rounds of a fine-tuning: a trainer and what is to be low in, the weights of the best round out.

The state stands on disk every minute and after each round, with the weights that are the best so far: who was killed
goes on from there, at the step and with the seconds that were left.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import numpy as np
import tensorflow as tf

from petitions.encoders.names import hash_text
from petitions.training.stage_state import Progress, read_state, write_state
from petitions.training.stage_trainer import Stage, StageTrainer

logger = logging.getLogger(__name__)

PATIENCE = 3  # rounds without a better one
N_RISE = 20  # steps
CHECKPOINT_S = 60.0

Row = dict[str, float]


class Rounds:
    """Trains all weights until the seconds are over, or no round was better for some time."""

    def __init__(self, trainer: StageTrainer, task: str, *, rate: float, round_steps: int, seconds: float) -> None:
        """Go on from the state in the trainer's folder, where there is one.

        Args:
            trainer: of the network, without a state of another training.
            task: what is drawn.
            rate: of learning, at its highest; it falls to 0 over the seconds.
            round_steps: steps between two measurements.
            seconds: of training, measuring after rounds included.
        """
        self.trainer, self.round_steps, self.budget = trainer, round_steps, max(seconds, 1e-9)
        self.stage = Stage(name=task, n_steps=1, shares={task: 1.0}, rate=rate)
        self.kept = [tf.Variable(variable.numpy(), trainable=False) for variable in trainer.variables]
        self.curve: list[Row] = []
        self.step, self.losses, self.seconds = 0, list[float](), 0.0
        found = read_state(trainer.folder, trainer.variables, [*trainer.moments, *self.kept])
        if found is not None:
            self.step, self.seconds = found.step, found.seconds
            self.curve = [{name: float(str(value)) for name, value in row.items()} for row in found.curve]
            if "measured" not in self.curve[-1]:  # of a round that was not over
                row = self.curve.pop()
                self.losses = [row["loss"]] * int(row["n"])
            logger.info("goes on from step %d, after %.0f s", self.step, self.seconds)
        self._began = self._saved = time.monotonic()
        self._before = self.seconds

    @property
    def share(self) -> float:
        """How much of the time is over."""
        return (self._before + time.monotonic() - self._began) / self.budget

    def run(self, measure: Callable[[], float]) -> list[Row]:
        """Train; the network has the weights of the round for which `measure` was the lowest, at the end.

        Returns:
            A row for each round, the first before any step: steps so far, seconds, mean loss, what was measured.
        """
        if not self.curve:
            measured = measure()
            self._began = time.monotonic()  # what compiles at first costs no time of training
            self._close({"steps": 0.0}, measured)
        while count_worse(self.curve) < PATIENCE and (self.share < 1 or self.losses):
            while len(self.losses) < self.round_steps and (self.share < 1 or not self.losses):
                self._take_step()
            self._close({"steps": self.step, "loss": float(np.mean(self.losses))}, measure())
            logger.info("%s", self.curve[-1])
        for variable, value in zip(self.trainer.variables, self.kept, strict=True):
            variable.assign(value)
        return self.curve

    def _take_step(self) -> None:
        rate = self.stage.rate * min(1.0, (self.step + 1) / N_RISE) * max(0.0, 1 - self.share)
        self.losses.append(self.trainer.update(*self.trainer.draw(self.stage, self.step), rate, self.step + 1))
        self.step += 1
        if time.monotonic() - self._saved > CHECKPOINT_S:
            n = len(self.losses)
            self._save([{"steps": self.step, "loss": float(np.mean(self.losses)), "n": n}])

    def _close(self, row: Row, measured: float) -> None:
        """End a round: its row is written, and its weights are kept if they are the best."""
        if measured < min((one["measured"] for one in self.curve), default=float("inf")):
            for kept, variable in zip(self.kept, self.trainer.variables, strict=True):
                kept.assign(variable.value)
        self.losses = []
        self.curve.append(row | {"seconds": self.share * self.budget, "measured": measured})
        self._save()

    def _save(self, unfinished: Sequence[Row] = ()) -> None:
        self._saved = time.monotonic()
        progress = Progress(
            stage=self.stage.name,
            step=self.step,
            n_updates=self.step,
            n_tokens=0,
            seconds=self.share * self.budget,
            curve=[dict(row) for row in (*self.curve, *unfinished)],
        )
        write_state(self.trainer.folder, progress, self.trainer.variables, [*self.trainer.moments, *self.kept])


def count_worse(curve: Sequence[Row]) -> int:
    """How many rounds were no better than the best one before them, up to now."""
    measured = [row["measured"] for row in curve]
    return len(measured) - 1 - measured.index(min(measured))


@contextmanager
def keep_state(output: Path, *order: object) -> Iterator[Path]:
    """The folder of a training's state beside its output, which is there again for who was killed and asks the same.

    Args:
        output: the folder that is written at the end; then the state is deleted.
        order: all that decides the training, by its `repr`; what is left of another order is deleted.
    """
    output = output.resolve()
    name = f".{output.name}.training-"
    folder = output.with_name(name + hash_text(*map(repr, order)))
    for left in output.parent.glob(f"{name}*"):
        if left != folder:
            rmtree(left)
    yield folder
    rmtree(folder, ignore_errors=True)
