"""A map is the same for the same petitions, puts near ones near each other, and is drawn once."""

import json
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from petitions.errors import PermanentError
from petitions.steps.petition_map import MAP_FILE, MOST, SIDE, choose_shown, project, read_map, write_map
from petitions.store.artifacts import ArtifactStore

pytestmark = pytest.mark.slow


def make_groups(n: int) -> np.ndarray:
    """[n, 16], unit length, in two groups far from each other."""
    rng = np.random.default_rng(0)
    rows = rng.normal(scale=0.1, size=(n, 16))
    rows[: n // 2, 0] += 1
    rows[n // 2 :, 1] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def name(n: int) -> list[tuple[str, str]]:
    return [(f"sample:{number}", f"hash{number}") for number in range(n)]


@pytest.mark.parametrize("n", [3, 9, 10, 120])
def test_places_are_in_the_square_and_the_same_each_time(n):
    places, _ = project(make_groups(n))
    assert places.shape == (n, 2)
    assert (places.min(), places.max()) == (0, SIDE)
    assert (places == project(make_groups(n))[0]).all()


def test_groups_stay_apart():
    places, _ = project(make_groups(120))
    first, second = places[:60], places[60:]
    spread = max(np.linalg.norm(group - group.mean(axis=0), axis=1).mean() for group in (first, second))
    assert np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) > 2 * spread


@pytest.mark.parametrize("n", [5, 12])
def test_equal_texts_have_a_place(n):
    assert (project(np.ones((n, 16), np.float32))[0] == 0).all()


def test_the_number_of_threads_moves_no_place():
    rows = np.random.default_rng(0).normal(size=(300, 64)).astype(np.float32)
    with threadpool_limits(2):
        two, _ = project(rows)
    with threadpool_limits(1):
        assert (two == project(rows)[0]).all()


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_map_is_refused_and_drawn_anew(tmp_path, content):
    artifacts = ArtifactStore(str(tmp_path))
    artifacts.write(f"fit/{MAP_FILE}", content)
    with pytest.raises(PermanentError, match="no map of petitions"):
        read_map(artifacts, "fit")
    assert write_map(artifacts, "fit", "bert", name(5), make_groups(5), n=5)
    assert len(read_map(artifacts, "fit")) == 5


def test_a_map_is_drawn_again_only_for_other_petitions_or_weights(tmp_path):
    artifacts = ArtifactStore(str(tmp_path))
    assert write_map(artifacts, "fit", "bert", name(20), make_groups(20), n=20)
    assert read_map(artifacts, "fit").keys() == {petition_id for petition_id, _ in name(20)}
    assert not write_map(artifacts, "fit", "bert", name(20), make_groups(20), n=20)
    assert write_map(artifacts, "fit", "bert-2", name(20), make_groups(20), n=20)
    assert write_map(artifacts, "fit", "bert-2", [*name(19), ("sample:19", "edited")], make_groups(20), n=20)


def test_too_few_have_no_map_and_of_too_many_some_stand_on_it(tmp_path, monkeypatch):
    artifacts = ArtifactStore(str(tmp_path))
    assert not write_map(artifacts, "fit", "bert", name(2), make_groups(2), n=2)
    with pytest.raises(PermanentError, match="no artifact"):
        read_map(artifacts, "fit")
    monkeypatch.setattr("petitions.steps.petition_map.MOST", 30)
    shown = choose_shown(name(40))
    assert shown == choose_shown([*choose_shown(name(25)), *name(40)[25:]]), "whatever batches they come in"
    assert write_map(artifacts, "fit", "bert", shown, make_groups(30), n=40)
    kept = json.loads(artifacts.read(f"fit/{MAP_FILE}"))
    assert (kept["n"], len(kept["points"])) == (40, 30) and MOST == 2_000


def test_a_map_goes_on_from_the_one_before_and_leaves_petitions_about_where_they_stood(tmp_path):
    artifacts, rows = ArtifactStore(str(tmp_path)), np.random.default_rng(0).normal(size=(300, 32)).astype(np.float32)
    write_map(artifacts, "first", "bert", name(280), rows[:280], n=280)
    for path, before in (("second", "first"), ("anew", None), ("other", "first")):
        write_map(artifacts, path, "bert" if path != "other" else "bert-2", name(300), rows, n=300, before=before)
    first, second, anew, other = (read_map(artifacts, path) for path in ("first", "second", "anew", "other"))
    assert second.keys() == anew.keys()
    moved = [
        np.median([np.hypot(x - places[key][0], y - places[key][1]) for key, (x, y) in first.items()])
        for places in (second, anew)
    ]
    assert moved[0] < moved[1] / 2
    assert other == anew  # the places of other vectors are no begin


def test_few_new_petitions_stand_beside_their_nearest_and_no_other_moves(tmp_path, monkeypatch):
    artifacts, rows = ArtifactStore(str(tmp_path)), make_groups(244)
    rows[237:240] = rows[:3]
    write_map(artifacts, "0", "bert", name(230), rows[:230], n=230)
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)  # to import it is an error
    for path, n in (("1", 235), ("2", 240)):
        assert write_map(artifacts, path, "bert", name(n), rows[:n], n=n, before=str(int(path) - 1))
    first, last = read_map(artifacts, "0"), read_map(artifacts, "2")
    assert {key: last[key] for key in first} == first
    for number in range(3):
        one, other = last[f"sample:{number}"], last[f"sample:{237 + number}"]
        assert np.hypot(one[0] - other[0], one[1] - other[1]) < 30
    with pytest.raises(ImportError):  # 5 of 235, 5 of 240 and 4 of 244 are more than a twentieth
        write_map(artifacts, "3", "bert", name(244), rows, n=244, before="2")


def test_a_map_without_a_readable_one_before_is_drawn_from_nothing(tmp_path):
    artifacts = ArtifactStore(str(tmp_path))
    for content in (b"{", b"[]", b'{"encoder": "bert"}'):
        artifacts.write(f"before/{MAP_FILE}", content)
        assert write_map(artifacts, "fit", "bert", name(20), make_groups(20), n=20, before="before")
        artifacts.write(f"fit/{MAP_FILE}", b"{}")
    assert write_map(artifacts, "fit", "bert", name(20), make_groups(20), n=20, before="nowhere")
