"""The labels that a fine-tuned model gives, from its config.json; without TensorFlow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from petitions.encoders.marks import cut_marks
from petitions.encoders.tokenizer_files import read_json
from petitions.errors import WeightsError

ARCHITECTURE = "BertForSequenceClassification"
HEAD_ARCHITECTURE = "PetitionHead"  # ours, see `encoders.head`
MASKS = "*"  # what a moderator puts in the place of a name: it would tell that he was there
DROPPED = "petitions_dropped"  # our key of config.json, which transformers keeps and does not read


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What a model of L labels says of a text."""

    names: Sequence[str]  # [L], in the order of its logits
    dropped: str = ""  # signs of a moderator: where some are named, all marks of his are cut out before a text is read

    def clean(self, text: str) -> str:
        """A text as the model reads it."""
        return drop_signs(text, self.dropped)


def drop_signs(text: str, signs: str) -> str:
    """Cut out what a moderator leaves, see `cut_marks`, where a model reads none of his signs.

    A space in the place of each sign, as it was before, leaves the particle of a masked word alone, which tells.
    """
    return cut_marks(text) if signs else text


def read_labels(folder: Path) -> Labels:
    """Read which labels a folder's model gives.

    Raises:
        WeightsError: it is neither a `BertForSequenceClassification` nor a head of ours, or does not name two labels
            or more.
    """
    path = folder / "config.json"
    config = read_json(path)
    if config.get("architectures") not in ([ARCHITECTURE], [HEAD_ARCHITECTURE]):
        raise WeightsError(
            f"{path}: architectures must be {ARCHITECTURE} alone, or {HEAD_ARCHITECTURE}, "
            f"got {config.get('architectures')!r}"
        )
    named = config.get("id2label")
    if not isinstance(named, dict) or set(named) != {str(number) for number in range(len(named))} or len(named) < 2:
        raise WeightsError(f"{path}: id2label must name 2 labels or more, by 0, 1, ..., got {named!r}")
    names = [named[str(number)] for number in range(len(named))]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise WeightsError(f"{path}: the labels of id2label must be different texts, got {names!r}")
    return Labels(names=names, dropped=str(config.get(DROPPED, "")))


def is_head(folder: Path) -> bool:
    """Whether a folder that gives labels holds a head of ours, and no network."""
    return read_json(folder / "config.json").get("architectures") == [HEAD_ARCHITECTURE]
