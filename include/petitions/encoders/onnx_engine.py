"""The engine of CPUs: one ONNX graph, exact lengths, a batch a thread.

A batch holds sequences of one length, so nothing is padded and nothing masked, and at most BATCH_TOKENS tokens: what a
layer makes of them (512 x 4D float32, 3 MB at D = 384) stays in a core's cache, where a batch of 4,096 is a quarter
slower. In int8 a batch is one sequence, since the scale of a batch's states is common to them: a text's vector does not
depend on its neighbours. Batches run side by side, each on one thread: that splits no product and waits at no barrier.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import numpy as np

from petitions.cpus import count_cpus
from petitions.encoders.engine import Floats, Network, Output, find_width
from petitions.encoders.sequences import TokenSequence, fill_batch

# Its builds send what they are used for to their maker, and warn where they cannot keep an id of the machine; the
# function `disable_telemetry_events` comes too late for the import (https://github.com/microsoft/onnxruntime,
# docs/Privacy.md).
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime  # noqa: E402
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf  # noqa: E402

BATCH_TOKENS = 512
ERRORS_ONLY = 3  # of ONNX Runtime's log
LOAD_ERRORS = (Fail, InvalidGraph, InvalidProtobuf)  # of a damaged graph


class OnnxEngine:
    """Holds a session of ONNX Runtime, which raises one of LOAD_ERRORS for a damaged graph."""

    def __init__(self, network: Network, graph: Path | bytes, *, is_int8: bool) -> None:
        """Load a graph, of a file or as it is."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        source = graph if isinstance(graph, bytes) else str(graph)
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self._run_options = onnxruntime.RunOptions()
        self._run_options.only_execute_path_to_fetches = True  # the heads that nobody asks cost nothing
        self._size, self._pad_id, self._is_int8 = network.checkpoint.size, network.pad_id, is_int8
        self._n_threads = count_cpus()
        self.told = f"ONNX Runtime, {'int8' if is_int8 else 'float32'}"

    def compute(self, output: Output, sequences: Sequence[TokenSequence], batch_tokens: int) -> Floats:
        """Run the graph over sequences in batches; see `Engine`."""
        results = np.zeros((len(sequences), find_width(self._size, output)), np.float32)
        limit = 1 if self._is_int8 else min(batch_tokens, BATCH_TOKENS)
        batches = list(group_lengths([len(sequence.token_ids) for sequence in sequences], limit))

        def run(indices: Sequence[int]) -> None:
            results[indices] = self._run(output, [sequences[index] for index in indices])

        if self._n_threads == 1 or len(batches) < 2:
            for indices in batches:
                run(indices)
            return results
        with ThreadPoolExecutor(self._n_threads) as pool:
            list(pool.map(run, batches))
        return results

    def _run(self, output: Output, sequences: Sequence[TokenSequence]) -> Floats:
        length = len(sequences[0].token_ids)
        n_segments = self._size.type_vocab_size
        batch = fill_batch(sequences, len(sequences), length, pad_id=self._pad_id, n_segments=n_segments)
        places = batch.positions + np.arange(len(sequences), dtype=np.int32) * length  # among all tokens
        inputs = {"token_ids": batch.token_ids, "segment_ids": batch.segment_ids, "positions": places}
        (found,) = self._session.run([output], inputs, self._run_options)
        return found


def group_lengths(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Group sequences of equal length, the longest first, so that no thread is left with a long one at the end.

    Args:
        lengths: tokens of each sequence.
        batch_tokens: at most so many in a group, but one sequence at least.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    for length, equal in groupby(order, key=lambda index: lengths[index]):
        indices = list(equal)
        n_rows = max(1, batch_tokens // length)
        for start in range(0, len(indices), n_rows):
            yield indices[start : start + n_rows]
