"""The encoders on several replicas, as on a TPU's cores: logical CPUs stand for them, in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
N_REPLICAS = 4
pytestmark = pytest.mark.slow

EMBED = """
import json, sys
import numpy as np
import tensorflow as tf

N_REPLICAS = int(sys.argv[1])
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * N_REPLICAS)

from petitions.encoders import bert_encoder, elmo_encoder, elmo_tensorflow, tensorflow_engine
from petitions.encoders.batching import plan_batches
from petitions.encoders.sequences import TokenSequence
from petitions.settings import Settings

settings = Settings()
TEXTS = ["학교 앞 횡단보도에 신호등을 세워 주세요. " * n for n in (1, 2, 3, 5, 8, 13, 30)] + [""]
TOKENS = [text.split() for text in TEXTS]
planned = []

def follow(plan):
    def noted(*arguments, **named):
        for batch in plan(*arguments, **named):
            planned.append((batch.n_rows, batch.length))
            yield batch
    return noted

elmo_tensorflow.BATCH_TOKENS = 512
tensorflow_engine.plan_batches = elmo_encoder.plan_batches = follow(plan_batches)

def embed(strategy):
    tensorflow_engine.pick_strategy = elmo_tensorflow.pick_strategy = lambda accelerator: strategy
    found = {}
    bert = bert_encoder.load_bert(settings.bert_model, cpu_engine="tensorflow")
    elmo = elmo_encoder.load_elmo(settings.elmo_model, cpu_engine="tensorflow")
    for name, encoder, embed_texts in (
        ("bert", bert, lambda: bert.embed(TEXTS, batch_tokens=512)),
        ("elmo", elmo, lambda: elmo.embed(TOKENS)),
    ):
        planned.clear()
        vectors, again = embed_texts(), embed_texts()
        step = encoder._engine._compiled_pool if name == "bert" else encoder._engine._compiled_sum
        concrete = step._list_all_concrete_functions()
        graphs = [graph.as_graph_def() for graph in (function.graph for function in concrete)]
        ops = {node.op for graph in graphs for nodes in [graph.node, *(f.node_def for f in graph.library.function)]
               for node in nodes}
        found[name] = {
            "vectors": vectors, "repeats": bool(np.array_equal(vectors, again)), "shapes": len(set(planned)),
            "rows": [rows for rows, _ in planned], "traces": step.experimental_get_tracing_count(),
            "python": sorted(op for op in ops if "PyFunc" in op), "ops": len(ops),
        }
    pairs = [TokenSequence(token_ids=[2, 9, 7, 3, 11, 3], n_first=4, position=1)] * 3
    found["heads"] = {"vectors": np.concatenate([bert.predict_masked(pairs), bert.predict_next(pairs)], axis=1)}
    return found

one = embed(tf.distribute.OneDeviceStrategy("/cpu:0"))
many = embed(tf.distribute.MirroredStrategy([f"/cpu:{index}" for index in range(N_REPLICAS)]))
for name, found in many.items():
    found["distance"] = float(np.abs(found.pop("vectors") - one[name]["vectors"]).max())
print("@@" + json.dumps(many))
"""


@pytest.fixture(scope="module")
def replicas() -> dict:
    command = [sys.executable, "-c", EMBED, str(N_REPLICAS)]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT / "include"), "CUDA_VISIBLE_DEVICES": ""}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rsplit("@@", 1)[1])


def test_many_replicas_give_the_numbers_of_one_device(replicas):
    distances = {name: found["distance"] for name, found in replicas.items()}
    assert set(distances) == {"bert", "elmo", "heads"}
    assert all(distance < 1e-5 for distance in distances.values()), distances


@pytest.mark.parametrize("encoder", ["bert", "elmo"])
def test_each_shape_is_compiled_once(replicas, encoder):
    found = replicas[encoder]
    assert found["shapes"] > 1
    assert found["traces"] == found["shapes"]
    assert found["repeats"]
    assert all(rows % N_REPLICAS == 0 for rows in found["rows"])


@pytest.mark.parametrize("encoder", ["bert", "elmo"])
def test_a_step_calls_no_python(replicas, encoder):
    assert replicas[encoder]["ops"] > 10
    assert replicas[encoder]["python"] == []
