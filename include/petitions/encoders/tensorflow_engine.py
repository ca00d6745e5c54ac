"""The engine of accelerators: the network in Keras, one program a shape, on as many replicas as the strategy has."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from petitions.encoders.batching import plan_batches
from petitions.encoders.bert import build_bert
from petitions.encoders.bert_checkpoint import name_backbone, name_masked_lm, name_next_sentence
from petitions.encoders.device import pick_strategy
from petitions.encoders.engine import Floats, Network, Output, find_width
from petitions.encoders.pooling import pool
from petitions.encoders.sequences import Ids, TokenSequence, fill_batch


class TensorFlowEngine:
    """Holds a network and the strategy that it runs under."""

    def __init__(self, network: Network, accelerator: str) -> None:
        """Load; see `pick_strategy` for the accelerator, and `Checkpoint.fill` for what is raised."""
        checkpoint = network.checkpoint
        self._size, self._pad_id, self._pooling = checkpoint.size, network.pad_id, network.pooling
        self._strategy = pick_strategy(accelerator)
        with self._strategy.scope():
            self._bert, self._masked_lm, self._next_sentence = build_bert(checkpoint.size, checkpoint.pair_head)
        checkpoint.fill(name_backbone(self._bert))
        checkpoint.fill_if_complete(name_masked_lm(self._masked_lm))
        checkpoint.fill_if_complete(name_next_sentence(self._next_sentence))
        self.told = "TensorFlow"
        self._compiled_pool = self._compile(self._pool)
        self._compiled: dict[Output, Callable[..., tf.Tensor]] = {
            "vectors": self._compiled_pool,
            "masked_logits": self._compile(self._predict_masked),
            "next_logits": self._compile(self._predict_next),
        }

    def compute(self, output: Output, sequences: Sequence[TokenSequence], batch_tokens: int) -> Floats:
        """Run the compiled function of an output over sequences in batches; see `Engine`."""
        results = np.zeros((len(sequences), find_width(self._size, output)), np.float32)
        lengths = [len(sequence.token_ids) for sequence in sequences]
        n_replicas = self._strategy.num_replicas_in_sync
        for planned in plan_batches(lengths, self._size.n_positions, batch_tokens, n_replicas):
            chosen = [sequences[index] for index in planned.indices]
            batch = fill_batch(
                chosen, planned.n_rows, planned.length,
                pad_id=self._pad_id, n_segments=self._size.type_vocab_size,
            )  # fmt: skip
            inputs = (batch.token_ids, batch.segment_ids, batch.mask, batch.positions)
            values = [self._distribute(np.split(array, n_replicas)) for array in inputs]
            outputs = self._strategy.gather(self._compiled[output](*values), axis=0).numpy()  # [rows, width]
            results[planned.indices] = outputs[: len(planned.indices)]
        return results

    def _compile(self, function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
        """Make one program a shape; several replicas go without jit: a TPU compiles by itself, mirrors trip over it."""
        compiled = tf.function(function, jit_compile=self._strategy.num_replicas_in_sync == 1)
        return tf.function(lambda *inputs: self._strategy.run(compiled, args=inputs))

    def _distribute(self, parts: Sequence[Ids]) -> tf.Tensor:
        """One part a replica."""
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    # The three computations take the same inputs, so that one loop serves them all.
    def _pool(self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        return pool(self._bert(token_ids, segment_ids, mask), mask, self._pooling)  # [B, D]

    def _predict_masked(
        self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, positions: tf.Tensor
    ) -> tf.Tensor:
        hidden = self._bert(token_ids, segment_ids, mask)  # [B, T, D]
        states = tf.gather(hidden, positions, batch_dims=1)  # [B, D]
        return self._masked_lm(states, tf.convert_to_tensor(self._bert.word_embeddings.embeddings))  # [B, V]

    def _predict_next(
        self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, positions: tf.Tensor
    ) -> tf.Tensor:
        return self._next_sentence(self._bert(token_ids, segment_ids, mask), segment_ids, mask)  # [B, 2]
