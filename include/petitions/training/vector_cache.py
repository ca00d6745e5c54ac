"""The vectors of texts by an encoder, each computed once: kept in a file, so that a killed run goes on where it was."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

CHUNK = 256  # texts that a killed run loses the work on at most

Floats = npt.NDArray[np.float32]


def cache_vectors(
    embed: Callable[[Sequence[str]], Floats], texts: Sequence[str], folder: Path | None, name: str
) -> Floats:
    """Embed N texts, float32 [N, D], or find them in the file of the encoder's name.

    Args:
        embed: texts to float32 [N, D].
        texts: equal ones are computed once.
        folder: where the file lies; None: vectors are kept for this run alone.
        name: of the weights.
    """
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.npz" if folder else None
    known = _read(path)
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    due = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    pending = list(due.items())
    for start in range(0, len(pending), CHUNK):
        chunk = pending[start : start + CHUNK]
        vectors = embed([text for _, text in chunk])
        known |= {key: vector for (key, _), vector in zip(chunk, vectors, strict=True)}
        _write(path, known)
    return np.stack([known[key] for key in keys])


def _read(path: Path | None) -> dict[str, Floats]:
    if path is None or not path.is_file():
        return {}
    with np.load(path) as found:
        return dict(zip(found["keys"].tolist(), found["vectors"], strict=True))


def _write(path: Path | None, known: dict[str, Floats]) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        np.savez(file, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
    os.replace(unfinished, path)
