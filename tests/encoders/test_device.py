import logging

import pytest
import tensorflow as tf

from petitions.encoders import accelerator
from petitions.encoders.device import pick_strategy
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


def test_an_unknown_accelerator_is_named():
    with pytest.raises(ConfigError, match="'npu'"):
        pick_strategy("npu")
