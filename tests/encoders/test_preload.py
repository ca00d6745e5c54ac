"""A worker that computes on the CPU has TensorFlow before its tasks; one beside an accelerator has nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

INCLUDE = Path(__file__).parents[2] / "include"
ASK = "import sys, petitions.encoders.preload as p; print(p.IS_LOADED, 'tensorflow' in sys.modules)"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        pytest.param({"PETITIONS_ACCELERATOR": "cpu"}, "True True", marks=pytest.mark.slow),
        ({"PETITIONS_ACCELERATOR": "tpu"}, "False False"),
        ({"PETITIONS_ACCELERATOR": "auto", "TPU_NAME": "local"}, "False False"),
        ({"PETITIONS_ACCELERATOR": "abacus"}, "False False"),
    ],
)
def test_tensorflow_is_there_where_there_is_nothing_to_lose_by_it(settings, told):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env={**environ, "PYTHONPATH": str(INCLUDE), **settings},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.strip() == told, done.stderr[-2000:]
