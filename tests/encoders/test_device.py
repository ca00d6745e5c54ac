import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf
from click.testing import CliRunner

from petitions.cli import main
from petitions.cpus import read_cpu_flags
from petitions.encoders import accelerator, device
from petitions.encoders.device import describe_strategy, multiplies_bfloat16, pick_strategy
from petitions.encoders.quiet_start import quiet_start
from petitions.errors import ConfigError

NO_GPU = pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="this machine has a GPU")


@pytest.fixture(autouse=True)
def forget_the_choice():
    pick_strategy.cache_clear()
    yield
    pick_strategy.cache_clear()


def test_cpu_runs_where_it_says():
    strategy = pick_strategy("cpu")
    assert "CPU" in strategy.run(lambda: tf.ones([2]) * 2).device


@NO_GPU
def test_a_named_gpu_that_is_missing_is_an_error():
    with pytest.raises(ConfigError, match="no GPU"):
        pick_strategy("gpu")


def test_a_named_tpu_that_is_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("TPU_NAME", "local")
    with pytest.raises(ConfigError, match="TPU, but 'local' gives none"):
        pick_strategy("tpu")


@NO_GPU
def test_auto_falls_back_to_the_cpu_and_says_so(monkeypatch, caplog):
    monkeypatch.delenv("TPU_NAME", raising=False)
    monkeypatch.setattr(accelerator, "TPU_DEVICE_FILES", ())
    with caplog.at_level(logging.INFO):
        assert pick_strategy("auto").num_replicas_in_sync == 1
    assert "CPU" in caplog.text


def test_auto_does_not_leave_a_tpu_that_is_named_but_silent(monkeypatch):
    monkeypatch.setenv("TPU_NAME", "local")
    with pytest.raises(ConfigError, match="TPU"):
        pick_strategy("auto")


@pytest.mark.parametrize(
    ("told", "is_fast"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 sse2\n", True),
        ("flags\t\t: fpu amx_bf16 amx_tile\n", True),
        ("Features\t: fp asimd i8mm bf16\n", True),
        ("flags\t\t: fpu avx512f\nbugs\t\t: bf16\n", False),
        (None, False),
    ],
)
def test_a_processor_is_asked_for_its_products_of_bfloat16(told, is_fast, tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    if told is not None:
        path.write_text(told)
    monkeypatch.setattr(device, "read_cpu_flags", lambda: read_cpu_flags(path))
    assert multiplies_bfloat16(pick_strategy("cpu")) == is_fast


@pytest.mark.parametrize(
    ("kind", "details", "is_fast"),
    [
        ("TPU", {}, True),
        ("GPU", {"compute_capability": (8, 0)}, True),
        ("GPU", {"compute_capability": (7, 5)}, False),
        ("GPU", {}, False),
    ],
)
def test_a_tpu_has_bfloat16_and_a_gpu_from_its_generation_on(kind, details, is_fast, monkeypatch):
    strategy = SimpleNamespace(extended=SimpleNamespace(worker_devices=[f"/job:localhost/device:{kind}:0"]))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert multiplies_bfloat16(strategy) == is_fast


def test_what_computes_is_told_in_words():
    assert describe_strategy(pick_strategy("cpu")).startswith("the processor (")


@pytest.mark.slow
@pytest.mark.parametrize("accelerator", ["auto", "cpu"])
def test_the_start_writes_nothing_to_standard_error(accelerator):
    code = (
        "from petitions.encoders.registry import ENCODERS; from petitions.settings import Settings;"
        f"ENCODERS['elmo'].load(Settings(accelerator='{accelerator}')).embed([['학교', '급식']])"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PETITIONS_", "CUDA_"))}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_only_what_tells_nothing_is_kept_back(capfd):
    with quiet_start():
        os.write(2, b"I0000 00:00:1796006530.680676   22977 port.cc:153] oneDNN custom operations are on. And so on\n")
        os.write(2, b"2026-11-30 02:00:00.123456: E tensorflow/x/cuda_executor.cc:12] failed call to cuInit\n")
        os.write(2, b"E0000 00:00:1796006559.475172   22977 tpu_driver.cc:52] the TPU is in use\n")
        os.write(2, b"a warning\n")
    os.write(2, b"after it\n")
    told = capfd.readouterr().err.splitlines()
    assert told == [
        "E0000 00:00:1796006559.475172   22977 tpu_driver.cc:52] the TPU is in use",
        "a warning",
        "after it",
    ]


def test_an_unknown_accelerator_is_named():
    with pytest.raises(ConfigError, match="'npu'"):
        pick_strategy("npu")


@pytest.mark.parametrize(
    ("given", "kept"), [({}, "1"), ({"TPU_NAME": "local"}, None), ({"TPU_SKIP_MDS_QUERY": "0"}, "0")]
)
def test_no_command_asks_a_cloud_for_a_tpu_that_leaves_no_trace(monkeypatch, given, kept):
    """In the image `tpu` TensorFlow's import asks thirty times, which took over five minutes."""
    for name in ("TPU_NAME", "TPU_SKIP_MDS_QUERY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(accelerator, "TPU_DEVICE_FILES", ())
    assert CliRunner().invoke(main, ["doctor", "--help"]).exit_code == 0
    assert os.environ.get("TPU_SKIP_MDS_QUERY") == kept
