"""The one door to transformers: a folder in, its tokenizer out, for training."""

import logging
from pathlib import Path

from petitions.encoders.tokenizer_files import read_backend, read_marks

# At import transformers advises to install PyTorch, which this project does without; its other warnings stay.
logging.getLogger("transformers").addFilter(lambda record: "PyTorch was not found" not in record.getMessage())

from transformers import PreTrainedTokenizerFast as PreTrainedTokenizerFast  # noqa: E402


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Read the tokenizer of a model, with any truncation and padding that it may have been saved with turned off.

    Raises:
        WeightsError: there is none that can be read, or it lacks a special token.
    """
    backend = read_backend(folder)
    return PreTrainedTokenizerFast(tokenizer_object=backend, **read_marks(folder, backend))
