"""The models of PETITIONS_SCORERS, by the names of their folders; without TensorFlow."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from petitions.encoders.registry import ENCODERS
from petitions.errors import ConfigError
from petitions.settings import MODELS


def list_scorers(models: Sequence[str]) -> dict[str, str]:
    """The models of the setting, each by the last part of its path, without a revision: what its step is called.

    Raises:
        ConfigError: two have one name, or one that of an encoder.
    """
    found: dict[str, str] = {}
    for model in models:
        name = PurePosixPath(model).name.partition("@")[0]
        if not name or name in (*ENCODERS, "both") or found.setdefault(name, model) != model:
            raise ConfigError(
                f"PETITIONS_SCORERS must name folders of different names, other than {' and '.join(ENCODERS)}, "
                f"got {','.join(models)!r}"
            )
    return found


def find_scorer(models: Sequence[str], name: str) -> str:
    """The model of a name.

    Raises:
        ConfigError: the setting has none of that name.
    """
    found = list_scorers(models)
    if name not in found:
        raise ConfigError(f"PETITIONS_SCORERS must name a folder {name!r}, it names {', '.join(found) or 'none'}")
    return found[name]


def find_shipped(model: str) -> str:
    """Where a scorer lies: one that ships, such as "moderation-words", is called by its name alone."""
    shipped = MODELS / model
    return str(shipped) if "/" not in model and shipped.is_dir() else model


def name_scorer(model: str) -> str:
    """The name of its weights, under which its labels are stored.

    Raises:
        WeightsError: the model is missing, or gives no labels.
    """
    from petitions.encoders.labels import is_head, read_labels
    from petitions.encoders.names import name_encoder, name_head

    found = find_shipped(model)
    if Path(found).is_dir() and is_head(Path(found)):
        read_labels(Path(found))
        return name_head(Path(found))
    # the model hub's library with it, which a step that loads no model does without
    from petitions.encoders.model_files import fetch_model

    files = fetch_model(found)
    read_labels(files.folder)
    return name_encoder(files)
