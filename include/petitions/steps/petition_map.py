"""A map of petitions: their embeddings in two dimensions, kept beside the fit for pages."""

import hashlib
import heapq
import json
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from petitions.errors import PermanentError
from petitions.store.artifacts import ArtifactStore

MAP_FILE = "petition_map.json"  # in the artifact of a fit
MOST = 2_000  # petitions on a map: more would be dots on dots, and a page of many megabytes
SIDE = 1000  # coordinates are whole numbers from 0 to this
_SEED, _WIDTH, _FEW = 0, 50, 10


def choose_shown(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Choose the texts, pairs of petition_id and content_hash, that stand on a map: the first 2,000 by a hash."""
    return heapq.nsmallest(MOST, texts, key=lambda text: hashlib.sha256(text[0].encode()).digest())


def write_map(
    artifacts: ArtifactStore,
    path: str,
    encoder: str,
    shown: Sequence[tuple[str, str]],
    embeddings: NDArray[np.floating],
    *,
    n: int,
) -> bool:
    """Project petitions and keep where they stand; without effect where the same ones by the same encoder are kept.

    Args:
        artifacts: where files go.
        path: the artifact of the fit.
        encoder: name of the weights and their hash.
        shown: M pairs of petition_id and content_hash, as `choose_shown` gives them.
        embeddings: [M, D]; fewer than three petitions have no map.
        n: petitions that they were chosen from.

    Returns:
        Whether a map was written.
    """
    if len(shown) < 3:
        return False
    made_from = hashlib.sha256("\n".join([encoder, *map(" ".join, shown)]).encode()).hexdigest()
    name = f"{path}/{MAP_FILE}"
    if artifacts.exists(name) and _read_made_from(artifacts.read(name)) == made_from:
        return False
    places = project(embeddings)
    points = [[petition_id, *xy] for (petition_id, _), xy in zip(shown, places.tolist(), strict=True)]
    artifacts.write(name, json.dumps({"made_from": made_from, "n": n, "points": points}).encode())
    return True


def project(embeddings: NDArray[np.floating]) -> NDArray[np.int64]:
    """Place rows in two dimensions, near ones near each other: PCA, then t-SNE (van der Maaten and Hinton 2008).

    Args:
        embeddings: [N, D], N at least 3; fewer than ten rows are placed by PCA alone.

    Returns:
        [N, 2], from 0 to 1000; the same rows give the same places.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    n, width = embeddings.shape
    if not np.ptp(embeddings, axis=0).any():  # equal rows: t-SNE divides by their spread, then crashes the process
        return np.zeros((n, 2), dtype=np.int64)
    with threadpool_limits(1):  # sums of threads differ by their number; one is as fast at this size
        reduced = PCA(min(_WIDTH, n, width), svd_solver="full").fit_transform(embeddings)
        if n >= _FEW:
            reduced = TSNE(perplexity=min(30, (n - 1) / 3), init="pca", random_state=_SEED).fit_transform(reduced)
    places = reduced[:, :2] - reduced[:, :2].min(axis=0)
    largest = places.max()
    scaled: NDArray[np.int64] = np.rint(places * (SIDE / largest)).astype(np.int64)
    return scaled


def read_map(artifacts: ArtifactStore, path: str) -> dict[str, tuple[int, int]]:
    """Read where each petition stands, by petition_id.

    Raises:
        PermanentError: the fit has no map, or one that is damaged.
    """
    name = f"{path}/{MAP_FILE}"
    content = artifacts.read(name)
    try:
        return {petition_id: (x, y) for petition_id, x, y in json.loads(content)["points"]}
    except (ValueError, TypeError, KeyError) as error:
        raise PermanentError(f"{name} is no map of petitions: {type(error).__name__}") from error


def _read_made_from(content: bytes) -> str | None:
    """What a map was made from; None of a damaged one, which is then drawn anew."""
    try:
        return str(json.loads(content)["made_from"])
    except (ValueError, TypeError, KeyError):
        return None
