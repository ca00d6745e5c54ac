"""Token lists in, the weighted mean of each layer of an ELMo out: what a head of one's own mixes as it likes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from petitions.encoders.elmo_encoder import ElmoEncoder, load_elmo
from petitions.encoders.windows import to_unit_length

Floats = npt.NDArray[np.float32]


class ElmoLayers:
    """An ELMo whose vector of a text is the sums of all K layers, side by side, of unit length together.

    Tokens weigh as they do in its own vectors. Layers are mixed after pooling: the mean of mixed states is the same.
    """

    def __init__(self, encoder: ElmoEncoder) -> None:
        options = encoder.options
        self.name, self.n_layers, self.layer_width = encoder.name, options.n_layers + 1, options.dimensions
        self._encoder = encoder

    def embed(self, sentences: Sequence[Sequence[str]]) -> Floats:
        """Vectors float32 [N, K * D] of N lists of tokens; an empty list has zeros."""
        weigh = self._encoder._pooling.weigh
        sums = self._encoder.sum_layers(sentences, lambda tokens: weigh(tokens)[:, None])[0]  # [N, K, D]
        return to_unit_length(sums.reshape(len(sums), -1))


def load_layers(model: str, accelerator: str = "auto") -> ElmoLayers:
    """Load an ELMo for its layers; see `load_elmo` for what is raised."""
    return ElmoLayers(load_elmo(model, accelerator))


def split_layers(vectors: Floats, n_layers: int) -> Floats:
    """Take apart what `ElmoLayers` embeds: float32 [N, K * D] to [N, K, D]."""
    return vectors.reshape(len(vectors), n_layers, -1)
