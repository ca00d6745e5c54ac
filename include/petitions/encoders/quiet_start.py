"""The start of TensorFlow without what its C++ tells of itself, which reads as a row of errors in a task's log.

Before its log is set up it writes to the descriptor of standard error, whatever TF_CPP_MIN_LOG_LEVEL says: that it
found no CUDA, that it uses oneDNN. What else is written meanwhile is passed on.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Files of TensorFlow and XLA whose lines tell that there is no GPU, or which instructions the processor has.
_NOISE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|(?:[IWE]\d{4} [\d:.]+ +\d+|\d{4}-\d\d-\d\d [\d:.]+: [IWE] \S*?) ?"
    rb"(?:port|cudart_stub|cuda_platform|cuda_executor|cuda_diagnostics|cpu_feature_guard|computation_placer"
    rb"|cuda_(?:dnn|fft|blas)\w*|gpu_device)\.cc:\d+\]"
    rb"|To enable the following instructions: "
)


@contextmanager
def quiet_start() -> Iterator[None]:
    """Around the import of TensorFlow and the first look at devices; what else is told is passed on at the end."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as told:
        os.dup2(told.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            told.seek(0)
            lines = [line for line in told if not _NOISE.match(line)]
            os.write(kept, b"".join(lines))
            os.close(kept)


def import_tensorflow() -> None:
    """Import TensorFlow, so that who needs it next finds it there and nothing is told of its start."""
    with quiet_start():
        import tensorflow  # noqa: F401
