"""How large a BERT is, by the names of config.json: without TensorFlow, which not every engine needs."""

from dataclasses import dataclass

from petitions.errors import WeightsError

MIN_POSITIONS = 8  # two texts of two tokens, between special tokens, and one to spare


@dataclass(frozen=True, slots=True, kw_only=True)
class BertSize:
    """How large a BERT is; the names are those of config.json."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    position_offset: int = 0  # the row of position_embeddings that the first token has

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise WeightsError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads {self.num_attention_heads}"
            )
        if self.n_positions < MIN_POSITIONS:
            raise WeightsError(
                f"max_position_embeddings must be at least {MIN_POSITIONS + self.position_offset}, "
                f"got {self.max_position_embeddings}"
            )

    @property
    def n_positions(self) -> int:
        """Tokens that can be read at once."""
        return self.max_position_embeddings - self.position_offset
