"""What a fine-tuning starts from: the folder of any of our BERTs in, that of a plain one with room for labels out.

`BertForSequenceClassification` reads the labels from the state of the first token, while a sentence encoder is good by
the mean of all its tokens. So one layer is added, which begins as that mean: its queries are zero, so that the first
token looks at all tokens alike, and passes on what it sees many times louder than itself. The layer norm behind it
brings the mean to unit length, as `embed` does. transformers computes the very same, and training may change it.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import keras
import numpy as np
from tokenizers import processors

from petitions.encoders.bert import INITIALIZER_STDDEV, Bert, build_bert
from petitions.encoders.bert_checkpoint import Checkpoint, Tensors, name_backbone, read_checkpoint, write_tensors
from petitions.encoders.bert_size import BertSize
from petitions.encoders.hub import PreTrainedTokenizerFast, load_tokenizer
from petitions.encoders.labels import ARCHITECTURE, DROPPED
from petitions.encoders.names import WEIGHTS_FILE
from petitions.encoders.reading import read_reading
from petitions.encoders.sequence_head import SequenceHead, name_sequence_head
from petitions.training.model_folder import write_config, write_tokenizer
from petitions.training.student import POSITION_EMBEDDINGS

LOUDER = 16.0  # the mean of the tokens beside the first token itself
NARROW = 0.1  # of the pooler, which begins as this times the identity: its tanh is nearly straight there


def write_start(model: Path, output: Path, labels: Sequence[str], dropped: str) -> None:
    """Write a BERT with a layer more, and a head that says nothing yet.

    Args:
        model: the folder of a BERT, RoBERTa or XLM-R.
        output: a folder that is there.
        labels: two or more.
        dropped: as of `Labels`.
    """
    keras.utils.set_random_seed(0)  # of what the new layer does not begin with
    checkpoint = make_plain(model)
    size = replace(checkpoint.size, num_hidden_layers=checkpoint.size.num_hidden_layers + 1)
    tensors = checkpoint.tensors | make_mean_layer(checkpoint.size)
    bert, _, _ = build_bert(size)
    Checkpoint(folder=model, size=size, tensors=tensors).fill(name_backbone(bert))
    head = SequenceHead(size, len(labels))
    head.pooler.kernel.assign(NARROW * np.eye(size.hidden_size, dtype=np.float32))
    head.classifier.kernel.assign(np.zeros((size.hidden_size, len(labels)), np.float32))
    write_classifier(output, bert, head, load_tokenizer(model), labels, dropped)


def write_plain_start(model: Path, output: Path) -> None:
    """Write a BERT as a plain one, to be trained as a sentence encoder."""
    checkpoint = make_plain(model)
    bert, _, _ = build_bert(checkpoint.size)
    checkpoint.fill(name_backbone(bert))
    write_encoder(output, bert, load_tokenizer(model))


def make_plain(model: Path) -> Checkpoint:
    """The weights of a model as those of a plain BERT, whose positions begin at 0 and end where its windows do."""
    checkpoint = read_checkpoint(model)
    size = checkpoint.size
    n_positions = min(size.n_positions, read_reading(model).max_tokens or size.n_positions)
    positions = checkpoint.tensors[POSITION_EMBEDDINGS][size.position_offset :][:n_positions]
    return Checkpoint(
        folder=model,
        size=replace(size, max_position_embeddings=n_positions, position_offset=0),
        tensors=checkpoint.tensors | {POSITION_EMBEDDINGS: positions},
    )


def make_mean_layer(size: BertSize) -> Tensors:
    """The weights of one more layer, whose first state is the mean of all states, brought to one length."""
    width, wide = size.hidden_size, size.intermediate_size
    random = np.random.default_rng(0)
    one, zero = np.eye(width, dtype=np.float32), np.zeros((width, width), np.float32)
    # Keys are drawn, or query and key, both zero, would hold each other there.
    dense: Tensors = {
        "attention.self.query": zero,
        "attention.self.key": random.normal(0, INITIALIZER_STDDEV, (width, width)),
        "attention.self.value": LOUDER * one,
        "attention.output.dense": one,
        "intermediate.dense": random.normal(0, INITIALIZER_STDDEV, (wide, width)),
        "output.dense": np.zeros((width, wide)),
    }
    prefix = f"bert.encoder.layer.{size.num_hidden_layers}"
    tensors: Tensors = {}
    for name, weight in dense.items():
        tensors[f"{prefix}.{name}.weight"] = weight.astype(np.float32)
        tensors[f"{prefix}.{name}.bias"] = np.zeros(len(weight), np.float32)
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        tensors[f"{prefix}.{name}.weight"] = np.ones(width, np.float32)
        tensors[f"{prefix}.{name}.bias"] = np.zeros(width, np.float32)
    return tensors


def write_classifier(
    output: Path,
    bert: Bert,
    head: SequenceHead,
    tokenizer: PreTrainedTokenizerFast,
    labels: Sequence[str],
    dropped: str,
) -> None:
    """Write a folder that transformers reads as `BertForSequenceClassification`."""
    _write_tokenizer(output, tokenizer, bert.size)
    named = {str(number): label for number, label in enumerate(labels)}
    more = {
        "pad_token_id": tokenizer.pad_token_id,
        "id2label": named,
        "label2id": {label: number for number, label in enumerate(labels)},
        "problem_type": "single_label_classification",
    }
    write_config(output, bert.size, architecture=ARCHITECTURE, more=more | ({DROPPED: dropped} if dropped else {}))
    write_tensors(output / WEIGHTS_FILE, chain(name_backbone(bert), name_sequence_head(head)))


def write_encoder(output: Path, bert: Bert, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write a folder that transformers reads as `BertModel`, and that embeds by the mean of its tokens."""
    _write_tokenizer(output, tokenizer, bert.size)
    write_config(output, bert.size, architecture="BertModel", more={"pad_token_id": tokenizer.pad_token_id})
    write_tensors(output / WEIGHTS_FILE, name_backbone(bert))


def _write_tokenizer(output: Path, tokenizer: PreTrainedTokenizerFast, size: BertSize) -> None:
    backend = tokenizer.backend_tokenizer
    if backend.post_processor is None:  # of a folder with vocab.txt alone; ours are framed by `frame`
        marks = [(token, backend.token_to_id(token)) for token in (tokenizer.sep_token, tokenizer.cls_token)]
        backend.post_processor = processors.BertProcessing(*marks)
    tokenizer.model_max_length = size.n_positions
    write_tokenizer(output, tokenizer)
