"""The sizes of an ELMo: `options.json` of bilm-tf in, a record out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from petitions.encoders.characters import N_CHARACTERS
from petitions.errors import WeightsError

ACTIVATIONS = ("relu", "tanh")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElmoOptions:
    """The sizes of one network; the defaults are those of the small one that ships."""

    character_dim: int = 16
    filters: tuple[tuple[int, int], ...] = (
        (1, 32),
        (2, 32),
        (3, 128),
        (4, 128),
        (5, 128),
        (6, 192),
        (8, 256),
    )  # (width, how many); a Korean syllable is three bytes wide
    activation: str = "relu"
    n_highway: int = 1
    max_characters: int = 50
    projection_dim: int = 128
    lstm_dim: int = 512
    n_layers: int = 2
    cell_clip: float | None = 3.0
    proj_clip: float | None = 3.0
    use_skip_connections: bool = True

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise WeightsError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {self.activation!r}")
        widest = max(width for width, _ in self.filters)
        if self.max_characters < max(3, widest):
            raise WeightsError(f"max_characters_per_token must be at least {max(3, widest)}, got {self.max_characters}")

    @property
    def dimensions(self) -> int:
        """D, the width of a token's state: forward and backward side by side."""
        return 2 * self.projection_dim


def read_options(path: Path) -> ElmoOptions:
    """Read `options.json`.

    Raises:
        WeightsError: no JSON, a key that is missing, or a value that is not of its kind.
    """
    try:
        return _from_json(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is not an ELMo's options.json: {error!r}") from error


def write_options(options: ElmoOptions, path: Path) -> None:
    """Write `options.json` with the keys of bilm-tf."""
    lstm = {
        "dim": options.lstm_dim,
        "projection_dim": options.projection_dim,
        "n_layers": options.n_layers,
        "cell_clip": options.cell_clip,
        "proj_clip": options.proj_clip,
        "use_skip_connections": options.use_skip_connections,
    }
    char_cnn = {
        "embedding": {"dim": options.character_dim},
        "filters": options.filters,
        "n_highway": options.n_highway,
        "n_characters": N_CHARACTERS,
        "max_characters_per_token": options.max_characters,
        "activation": options.activation,
    }
    path.write_text(json.dumps({"lstm": lstm, "char_cnn": char_cnn}, indent=2) + "\n", "utf-8")


def _from_json(tree: Mapping[str, Any]) -> ElmoOptions:
    lstm, char_cnn = tree["lstm"], tree["char_cnn"]
    if char_cnn["n_characters"] not in (N_CHARACTERS - 1, N_CHARACTERS):  # without the padding while bilm-tf trains
        raise WeightsError(
            f"n_characters must be {N_CHARACTERS - 1} or {N_CHARACTERS}, the bytes of UTF-8 and the marks, "
            f"got {char_cnn['n_characters']!r}"
        )
    return ElmoOptions(
        character_dim=int(char_cnn["embedding"]["dim"]),
        filters=tuple((int(width), int(n)) for width, n in char_cnn["filters"]),
        activation=char_cnn["activation"],
        n_highway=int(char_cnn.get("n_highway") or 0),
        max_characters=int(char_cnn["max_characters_per_token"]),
        projection_dim=int(lstm["projection_dim"]),
        lstm_dim=int(lstm["dim"]),
        n_layers=int(lstm["n_layers"]),
        cell_clip=lstm.get("cell_clip"),
        proj_clip=lstm.get("proj_clip"),
        use_skip_connections=bool(lstm.get("use_skip_connections")),
    )
