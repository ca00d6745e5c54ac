"""A BERT of two layers that nobody trained, as a folder."""

from itertools import chain
from pathlib import Path

from petitions.encoders.bert import BertSize, build_bert
from petitions.encoders.bert_checkpoint import name_backbone, write_tensors
from petitions.encoders.hub import PreTrainedTokenizerFast
from petitions.encoders.names import WEIGHTS_FILE
from petitions.training.model_folder import write_config, write_tokenizer


def write_bert(folder: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write it with a tokenizer; the folder is made."""
    folder.mkdir()
    size = BertSize(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    write_tokenizer(folder, tokenizer)
    write_config(folder, size)
    write_tensors(folder / WEIGHTS_FILE, chain(name_backbone(build_bert(size)[0])))
