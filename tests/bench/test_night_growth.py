import math
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "bench"))

import night_growth  # noqa: E402
from growth_table import BY_NUMBER, NAMES, fit_exponent  # noqa: E402
from night_growth import measure_growth, tell_growth  # noqa: E402

from stand_in import BLUEHOUSE_DATA  # noqa: E402


def make_night(name, *costs):
    lines = [
        {"name": step, "n": 1, "queued_s": 0, "ran_s": cost, "cpu_s": cost, "server_s": 0.0, "peak_mb": 100.0}
        for step, cost in zip(("crawl", "check"), costs, strict=True)
    ]
    return {"name": name, "seconds": sum(costs), "cpu_s": sum(costs), "server_s": 0.0, "peak_mb": 100.0, "lines": lines}


def test_the_exponent_is_that_of_the_power_that_costs_follow():
    assert fit_exponent([1, 4, 16], [3, 6, 12]) == pytest.approx(0.5)
    assert fit_exponent([1, 4, 16], [2, 2, 2]) == pytest.approx(0)
    assert math.isnan(fit_exponent([1], [2]))


@pytest.mark.skipif(not BLUEHOUSE_DATA.is_dir(), reason="../shared is absent")
def test_each_step_of_the_second_night_has_its_exponent():
    rows = {str(n): {"nights": [make_night(name, n / 10, 5) for name in NAMES]} for n in (100, 400)}
    told = tell_growth(rows).splitlines()
    steps = {cells[1].strip(): cells for line in told if (cells := line.split("|"))[0] == "" and len(cells) > 5}
    assert steps["crawl"][4].strip() == "1.00"
    assert steps["check"][4].strip() == "0.00"
    assert BY_NUMBER in "".join(told)


def test_a_size_that_is_kept_of_the_same_commit_is_not_measured_again(monkeypatch, tmp_path):
    measured = []
    monkeypatch.setattr(night_growth, "_measure_size", lambda n, make: measured.append(n) or [])
    monkeypatch.setattr(night_growth, "name_commit", lambda: "abc")
    kept = tmp_path / "kept.json"
    measure_growth([1, 2], kept, None)
    assert measure_growth([1, 2, 3], kept, None).keys() == {"1", "2", "3"}
    assert measured == [1, 2, 3]
    monkeypatch.setattr(night_growth, "name_commit", lambda: "def")
    measure_growth([2], kept, None)
    assert measured == [1, 2, 3, 2]
