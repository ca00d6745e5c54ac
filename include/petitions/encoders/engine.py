"""What computes a BERT: token sequences in, vectors or the logits of a head out; TensorFlow or ONNX Runtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from petitions.encoders.bert_checkpoint import Checkpoint
from petitions.encoders.bert_size import BertSize
from petitions.encoders.reading import Pooling
from petitions.encoders.sequences import TokenSequence

Output = Literal["vectors", "masked_logits", "next_logits"]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network as the files of a model give it; an engine takes what it needs, and keeps none of the tensors."""

    checkpoint: Checkpoint
    key: str  # of the weights and all that decides what is computed; other weights have another
    pooling: Pooling
    pad_id: int


class Engine(Protocol):
    """A network ready to compute."""

    told: str  # its name in plain words, for `petitions doctor`

    def compute(self, output: Output, sequences: Sequence[TokenSequence], batch_tokens: int) -> Floats:
        """What the network says of N sequences, float32 [N, width] in their order.

        Args:
            output: "vectors" [N, D], pooled; "masked_logits" [N, V], at the position of each sequence; "next_logits"
                [N, 2], index 0 is "follows". That of a head which the checkpoint lacks may not be asked for.
            sequences: N of them, none longer than the network has positions.
            batch_tokens: tokens computed at once, about.
        """


def find_width(size: BertSize, output: Output) -> int:
    """How many numbers an output has for a sequence."""
    return {"vectors": size.hidden_size, "masked_logits": size.vocab_size, "next_logits": 2}[output]
