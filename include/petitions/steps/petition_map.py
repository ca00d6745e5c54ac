"""A map of petitions: their embeddings in two dimensions, kept beside the fit for pages."""

import hashlib
import heapq
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from petitions.errors import PermanentError
from petitions.store.artifacts import ArtifactStore

MAP_FILE = "petition_map.json"  # in the artifact of a fit
MOST = 2_000  # petitions on a map: more would be dots on dots, and a page of many megabytes
SIDE = 1000  # coordinates are whole numbers from 0 to this
_SEED, _WIDTH, _FEW = 0, 50, 10
_FEWEST_STOOD, _FURTHER, _JITTER = 0.75, 250, 0.01  # 250 steps: the fewest that scikit-learn takes
# So many are put beside their nearest, and no other moves. Of 588 petitions, 12 of them new: of a new one's ten nearest
# 37 % are among its ten nearest on the map, 35 % where t-SNE goes on; 29 new ones: 36 and 39 %.
MOST_PLACED = 0.05  # of a map, night by night, since t-SNE was at it
_BESIDE = 4  # a new dot lies about so far from that of its nearest, else it would hide it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The map of the fit before: none, or a damaged one, or one of another encoder, has no places."""

    places: Mapping[str, tuple[int, int]]
    unit: float = 1.0  # how much of t-SNE's plane a step of a place is
    turnover: float = math.inf  # share of petitions that were put on it since t-SNE was at it; older maps do not tell


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
    before: str | None = None,
) -> bool:
    """Project petitions and keep where they stand; without effect where the same ones by the same encoder are kept.

    A map goes on from that of the fit before by the same encoder. Few new petitions are put beside their nearest; where
    more than `MOST_PLACED` have come, t-SNE moves all a little, and they stay about where readers know them.

    Args:
        artifacts: where files go.
        path: the artifact of the fit.
        encoder: name of the weights and their hash.
        shown: M pairs of petition_id and content_hash, as `choose_shown` gives them.
        embeddings: [M, D]; fewer than three petitions have no map.
        n: petitions that they were chosen from.
        before: the artifact of the fit that readers see.

    Returns:
        Whether a map was written.
    """
    if len(shown) < 3:
        return False
    made_from = hashlib.sha256("\n".join([encoder, *map(" ".join, shown)]).encode()).hexdigest()
    name = f"{path}/{MAP_FILE}"
    if artifacts.exists(name) and _read_made_from(artifacts.read(name)) == made_from:
        return False
    known = _read_known(artifacts, before, encoder)
    is_new = np.array([petition_id not in known.places for petition_id, _ in shown])  # [M]
    turnover, unit = known.turnover + float(is_new.mean()), known.unit
    begin = np.array([known.places.get(petition_id, (np.nan, np.nan)) for petition_id, _ in shown])  # [M, 2]
    if turnover <= MOST_PLACED:
        placed = _place_beside(embeddings, begin, is_new)
    else:
        (placed, unit), turnover = project(embeddings, begin * unit), 0.0
    points = [[petition_id, *xy] for (petition_id, _), xy in zip(shown, placed.tolist(), strict=True)]
    told = {
        "made_from": made_from, "encoder": encoder, "unit": unit, "turnover": turnover, "n": n, "points": points,
    }  # fmt: skip
    artifacts.write(name, json.dumps(told).encode())
    return True


def project(
    embeddings: NDArray[np.floating], begin: NDArray[np.floating] | None = None
) -> tuple[NDArray[np.int64], float]:
    """Place rows in two dimensions, near ones near each other: PCA, then t-SNE (van der Maaten and Hinton 2008).

    Args:
        embeddings: [N, D], N at least 3; fewer than ten rows are placed by PCA alone.
        begin: [N, 2], where rows stood before, as t-SNE has it; NaN for a new one, which begins between its neighbours.
            Without effect where fewer than three quarters stood.

    Returns:
        [N, 2], from 0 to 1000, and how much of t-SNE's plane one of these is; the same rows and begin give the same
        places.
    """
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    n, width = embeddings.shape
    if not np.ptp(embeddings, axis=0).any():  # equal rows: t-SNE divides by their spread, then crashes the process
        return np.zeros((n, 2), dtype=np.int64), 1.0
    with threadpool_limits(1):  # sums of threads differ by their number; one is as fast at this size
        reduced = PCA(min(_WIDTH, n, width), svd_solver="full").fit_transform(embeddings)
        if n >= _FEW:
            reduced = _spread(reduced, begin)
    places = reduced[:, :2] - reduced[:, :2].min(axis=0)
    unit = float(places.max()) / SIDE
    scaled: NDArray[np.int64] = np.rint(places / unit).astype(np.int64)
    return scaled, unit


def _spread(reduced: NDArray[np.floating], begin: NDArray[np.floating] | None) -> NDArray[np.floating]:
    """t-SNE from the first two components, or on from where most rows stood: fewer steps, without pushing apart."""
    from sklearn.manifold import TSNE
    from sklearn.neighbors import NearestNeighbors

    perplexity = min(30, (len(reduced) - 1) / 3)
    stood = np.zeros(len(reduced), bool) if begin is None else ~np.isnan(begin[:, 0])
    if begin is None or stood.mean() < _FEWEST_STOOD:
        return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(reduced))
    start = begin - begin[stood].mean(axis=0)
    if not stood.all():
        search = NearestNeighbors(n_neighbors=3).fit(reduced[stood])
        near = search.kneighbors(reduced[~stood], return_distance=False)
        start[~stood] = start[stood][near].mean(axis=1)
    # Rows on one spot would never part.
    start += np.random.default_rng(_SEED).normal(scale=_JITTER, size=start.shape)
    further = TSNE(perplexity=perplexity, init=start.astype(np.float32), early_exaggeration=1.0, max_iter=_FURTHER,
                   random_state=_SEED)  # fmt: skip
    return np.asarray(further.fit_transform(reduced))


def _place_beside(
    embeddings: NDArray[np.floating], begin: NDArray[np.floating], is_new: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Leave places [M, 2] as they are, and put the new ones beside the most similar petition that has one."""
    placed = begin.copy()
    nearest = (embeddings[is_new] @ embeddings[~is_new].T).argmax(axis=1)
    aside = np.random.default_rng(_SEED).normal(scale=_BESIDE, size=(len(nearest), 2))
    placed[is_new] = begin[~is_new][nearest] + aside
    places: NDArray[np.int64] = np.rint(placed.clip(0, SIDE)).astype(np.int64)
    return places


def _read_known(artifacts: ArtifactStore, path: str | None, encoder: str) -> _Known:
    name = f"{path}/{MAP_FILE}"
    if path is None or not artifacts.exists(name):
        return _Known(places={})
    try:
        told = json.loads(artifacts.read(name))
        if told.get("encoder") != encoder:
            return _Known(places={})
        places = {petition_id: (x, y) for petition_id, x, y in told["points"]}
        return _Known(places=places, unit=float(told["unit"]), turnover=float(told.get("turnover", math.inf)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return _Known(places={})


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
