"""Imported where a Celery worker starts: its tasks are forks of it, and need not import TensorFlow each for itself.

    AIRFLOW__CELERY__EXTRA_CELERY_CONFIG='{"imports": ["petitions.encoders.preload"]}'

Nothing is imported where there may be an accelerator: a parent that has looked at one would hold it, and its forks not.
"""

import logging

from petitions.encoders.accelerator import runs_on_cpu
from petitions.errors import ConfigError
from petitions.settings import Settings

logger = logging.getLogger(__name__)


def preload() -> bool:
    """Import what the encoders need, where they compute on the CPU; gives whether that was done."""
    try:
        is_on_cpu = runs_on_cpu(Settings.from_env().accelerator)
    except ConfigError as error:  # which each task will fail by, and tell of
        logger.warning("nothing is imported beforehand: %s", error)
        return False
    if is_on_cpu:
        import petitions.encoders.bert_encoder
        import petitions.encoders.elmo_numpy
        import petitions.encoders.elmo_tensorflow
        import petitions.encoders.onnx_engine  # noqa: F401
    return is_on_cpu


IS_LOADED = preload()
