"""What a night waits for however little is new: modules that only other work needs are not imported."""

import subprocess
import sys

import pytest

NAMES = """
from petitions.encoders.registry import ENCODERS
from petitions.settings import Settings
for entry in ENCODERS.values():
    entry.require_heads(Settings())
    entry.name(Settings())
"""
VECTORS = """
from petitions.steps.encoders import load_encoder
from petitions.settings import Settings
load_encoder("bert", Settings())[1](["학교 앞에 신호등을 세워 주세요"])
"""
FIT = "import petitions.steps.new_fit, petitions.topics.visualization"


@pytest.mark.parametrize(
    ("program", "unneeded"),
    [
        (NAMES, {"transformers", "huggingface_hub", "tensorflow", "onnxruntime"}),
        (VECTORS, {"transformers", "huggingface_hub", "tensorflow"}),
        (FIT, {"matplotlib", "tensorflow"}),
    ],
    ids=["names and heads of the weights", "vectors of the weights that ship", "a fit and its picture"],
)
def test_nothing_else_is_imported_for(program, unneeded):
    told = f"{program}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert unneeded.isdisjoint(done.stdout.split())
