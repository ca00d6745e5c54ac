"""Which tensors a network of a size has, and of what shapes: by their names in a PyTorch `BertForPreTraining`."""

from collections.abc import Iterator

from petitions.encoders.bert_size import BertSize

Shapes = dict[str, tuple[int, ...]]


def backbone_shapes(size: BertSize) -> Shapes:
    """The tensors of the layers under the heads."""
    width, wide = size.hidden_size, size.intermediate_size
    shapes: Shapes = {
        "bert.embeddings.word_embeddings.weight": (size.vocab_size, width),
        "bert.embeddings.position_embeddings.weight": (size.max_position_embeddings, width),
        "bert.embeddings.token_type_embeddings.weight": (size.type_vocab_size, width),
        **dict(_norm("bert.embeddings.LayerNorm", width)),
    }
    for index in range(size.num_hidden_layers):
        prefix = f"bert.encoder.layer.{index}"
        for part in ("query", "key", "value"):
            shapes |= _dense(f"{prefix}.attention.self.{part}", width, width)
        shapes |= _dense(f"{prefix}.attention.output.dense", width, width)
        shapes |= _norm(f"{prefix}.attention.output.LayerNorm", width)
        shapes |= _dense(f"{prefix}.intermediate.dense", width, wide)
        shapes |= _dense(f"{prefix}.output.dense", wide, width)
        shapes |= _norm(f"{prefix}.output.LayerNorm", width)
    return shapes


def masked_lm_shapes(size: BertSize) -> Shapes:
    """The tensors of the masked-word head, besides the word embeddings."""
    head, width = "cls.predictions.transform", size.hidden_size
    dense, norm = _dense(f"{head}.dense", width, width), _norm(f"{head}.LayerNorm", width)
    return {**dict(dense), **dict(norm), "cls.predictions.bias": (size.vocab_size,)}


def next_sentence_shapes(size: BertSize, *, is_segment_match: bool) -> Shapes:
    """The tensors of the next-sentence head, BERT's own or ours."""
    width = size.hidden_size
    if is_segment_match:
        return {"cls.segment_match.weight": (2 * width,), "cls.segment_match.scale": (2,)}
    return dict([*_dense("bert.pooler.dense", width, width), *_dense("cls.seq_relationship", width, 2)])


def _dense(name: str, n_in: int, n_out: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (n_out, n_in)
    yield f"{name}.bias", (n_out,)


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)
