import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "bench"))

from bench_table import render, render_stage  # noqa: E402
from compare import measure_lead, take_turns  # noqa: E402


def make_turns(*seconds: float) -> list[dict[str, float]]:
    return [{"seconds": each, "cpu_s": each, "peak_mb": 100.0} for each in seconds]


def render_rows(*rows: dict[str, object]) -> str:
    stage = {
        "title": "Crawl", "unit": "pages", "n": 100, "rounds": 3, "note": "", "commit": "abc", "rows": rows,
        "at": "2026-11-30T07:00:00+00:00",
    }  # fmt: skip
    machine = {
        "processor": "of a test", "cores": 2, "memory_gib": 23, "system": "Linux", "python": "3.11",
        "ours": {"numpy": "2"}, "peers": {"words": ["gensim==4"]}, "commit": "abc",
    }  # fmt: skip
    return render({"mode": "quick", "machine": machine, "stages": {"crawl": stage}, "missing": ["bert"]})


def find_row(page: str, name: str) -> list[str]:
    (line,) = (line for line in page.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_ratio_over_one_means_that_ours_is_faster() -> None:
    assert measure_lead([1, 1, 2], [2, 3, 2]) == (2, 1, 3)


def test_a_peer_that_wins_is_shown_winning() -> None:
    ours, peer = {"name": "ours", "turns": make_turns(4, 4, 4)}, {"name": "peer", "turns": make_turns(1, 2, 2)}
    row = find_row(render_rows(ours, peer), "peer")
    assert row[1:4] == ["2", "50", "0.5 [0.25, 0.5]"]


def test_what_failed_and_what_did_not_run_are_told_by_name() -> None:
    ours = {"name": "ours", "turns": make_turns(1, 1, 1)}
    page = render_rows(ours, {"name": "peer", "turns": [], "failed": "ModuleNotFoundError: No module named 'peer'"})
    assert find_row(page, "peer")[1] == "failed"
    assert "**peer** failed: ModuleNotFoundError" in page
    assert "Not run: bert." in page


def test_a_stage_that_broke_is_told_by_name() -> None:
    stage = {"title": "Search", "broken": "OSError: no space left", "commit": "abc", "at": ""}
    assert render_stage(stage).split("\n")[:3] == ["## Search", "", "Failed at abc: OSError: no space left"]


def test_a_row_keeps_its_figures_under_their_own_heads() -> None:
    ours = {"name": "ours", "turns": make_turns(1), "figures": {"npmi": 0.118}}
    peer = {"name": "peer", "turns": make_turns(3), "figures": {"diversity": 0.9}}
    page = render_rows(ours, peer)
    assert find_row(page, "")[6:] == ["npmi", "diversity"]
    assert find_row(page, "ours")[6:] == ["0.118", ""]
    assert find_row(page, "peer")[6:] == ["", "0.9"]


@pytest.mark.parametrize("rounds", [1, 4])
def test_each_way_has_its_turn_in_every_round(rounds: int) -> None:
    asked: list[tuple[str, int]] = []
    told = take_turns({name: lambda n, name=name: asked.append((name, n)) for name in "ab"}, rounds)
    assert {name: len(turns) for name, turns in told.items()} == {"a": rounds, "b": rounds}
    assert [sorted(name for name, n in asked if n == number) for number in range(rounds)] == [["a", "b"]] * rounds
