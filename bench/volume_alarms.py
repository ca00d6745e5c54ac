"""Which criterion for strange volumes: false alarms on the nights of real histories, and faults that are found.

    PYTHONPATH=include python bench/volume_alarms.py

Every day of the histories is judged as the night after it would have been, by the days on which petitions begin. That
they come to light later than they begin is not to be seen there: the Blue House's ids rise with that day, with hardly
a gap (3,029 petitions have 3,065 ids), and hardly any petition begins at a weekend, so it is the day on which the site
opened it. Nights on end are one episode. Faults begin on every day after the first twelve weeks, and last: they change
what begins from then on, and not what is stored. Reads ../shared/data.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from petitions.sources.lines import read_lines
from petitions.store import volumes

DATA = Path(__file__).parents[2] / "shared" / "data"
HISTORIES = {
    "Blue House 2019-04 to 08": sorted((DATA / "bluehouse").glob("*.jsonl")),
    "Blue House 2020-01 to 05": [DATA / "corpus" / "bluehouse_2020-01_05.jsonl.gz"],
    "Assembly 2020-01 to 2024-06": [DATA / "assembly" / "2020-01_2024-07.jsonl"],
}
CHOSEN = {"FALLS": volumes.FALLS, "RISE": volumes.RISE, "DEVIATIONS": volumes.DEVIATIONS}
CRITERIA: dict[str, dict[str, Any]] = {
    "chosen": {},
    "3 days, not 5": {"FALLS": {3: 8.0, 7: 3.0, 14: 2.0}},
    "falls to 1/2": {"FALLS": {5: 2.0, 7: 2.0, 14: 2.0}},
    "falls to 1/1.5 in 14 days": {"FALLS": {5: 8.0, 7: 3.0, 14: 1.5}},
    "rises to 2": {"RISE": 2.0},
    "rises to 3": {"RISE": 3.0},
    "rises to 5": {"RISE": 5.0},
    "rises to 7": {"RISE": 7.0},
    "4 deviations": {"DEVIATIONS": 4.0},
    "5 deviations": {"DEVIATIONS": 5.0},
    "6 deviations": {"DEVIATIONS": 6.0},
    "8 deviations": {"DEVIATIONS": 8.0},
    "factors alone": {"DEVIATIONS": 0.0},
}
WARM = 84  # days before the first fault
PATIENCE = 28  # days in which a fault is found, or not
STEADY = date(2022, 6, 1)  # the Assembly had 1 or 2 petitions a week before, too few to miss

Day = Counter[str]  # petitions by category
Fault = Callable[[Day, int], int]


def read_history(paths: list[Path]) -> tuple[date, list[Day]]:
    """The first day, and the petitions of every day from it by category."""
    found: dict[date, Day] = defaultdict(Counter)
    for path in paths:
        for line in read_lines(path):
            row = json.loads(line)
            found[date.fromisoformat(row["begin"])][row["category"]] += 1
    first = min(found)
    return first, [found[first + timedelta(days=number)] for number in range((max(found) - first).days + 1)]


def judge(days: list[int]) -> volumes.Oddity | None:
    return volumes.find_oddity(days[-(7 * volumes.MOST_WEEKS + max(volumes.FALLS)) :])


def find_alarms(days: list[int]) -> Iterator[tuple[int, volumes.Oddity]]:
    for night in range(1, len(days) + 1):
        if found := judge(days[:night]):
            yield night, found


def count_alarms(days: list[int]) -> str:
    """Nights with an alarm and episodes, of falls and of rises."""
    told = []
    alarms = list(find_alarms(days))
    for is_fall in (True, False):
        nights = [night for night, found in alarms if (found.n_petitions < found.low) == is_fall]
        episodes = sum(night - 1 not in nights for night in nights)
        told.append(f"{len(nights):3} ({episodes})")
    return " ".join(told)


def count_early(history: list[Day]) -> int:
    """Nights with an alarm where a day that has only begun is counted too."""
    days = [day.total() for day in history]
    return sum(judge([*days[:night], 0]) is not None for night in range(len(days)))


def set_criterion(**constants: Any) -> None:
    for name, value in (CHOSEN | constants).items():
        setattr(volumes, name, value)


def make_faults(history: list[Day]) -> dict[str, Fault]:
    """What a broken list would give of a day; the second argument varies from fault to fault."""
    categories = sorted(set().union(*history))
    dice = random.Random(0)
    return {
        "nothing": lambda day, _: 0,
        "one category": lambda day, number: day[categories[number % len(categories)]],
        "a third": lambda day, _: sum(dice.random() < 1 / 3 for _ in range(day.total())),
        "half": lambda day, _: sum(dice.random() < 1 / 2 for _ in range(day.total())),
        "each twice": lambda day, _: 2 * day.total(),
        "32 times": lambda day, _: 32 * day.total(),
    }


def find_days(history: list[Day], fault: Fault, start: int, number: int) -> int | None:
    """Days from the begin of a fault to its first alarm; None: later than PATIENCE or never."""
    days = [day.total() for day in history[:start]]
    for passed, day in enumerate(history[start : start + PATIENCE], start=1):
        days.append(fault(day, number))
        if judge(days):
            return passed
    return None


def tell_faults(name: str, first: date, history: list[Day]) -> None:
    warm = max(WARM, (STEADY - first).days if name.startswith("Assembly") else 0)
    for fault_name, fault in make_faults(history).items():
        starts = range(warm, len(history) - PATIENCE)
        found = [find_days(history, fault, start, number) for number, start in enumerate(starts)]
        days = sorted(item for item in found if item is not None)
        shares = " ".join(f"{sum(item <= limit for item in days) / len(found):5.0%}" for limit in (5, 7, 14, 28))
        middle = f"{median(days):4.0f}" if days else "   -"
        print(
            f"  {fault_name:14} {len(found):4} faults, found within 5, 7, 14, 28 days: {shares}; median {middle} days"
        )


def main() -> None:
    if not DATA.exists():
        raise SystemExit(f"{DATA} is absent: nothing to judge")
    histories = {name: read_history(paths) for name, paths in HISTORIES.items()}
    print("nights with an alarm (episodes), falls then rises")
    print(f"{'':28}" + "".join(f"{name:>30}" for name in histories))
    print(f"{'nights':28}" + "".join(f"{len(days):>30}" for _, days in histories.values()))
    for name, constants in CRITERIA.items():
        set_criterion(**constants)
        told = (count_alarms([day.total() for day in days]) for _, days in histories.values())
        print(f"{name:28}" + "".join(f"{item:>30}" for item in told))
    set_criterion()
    print(f"{'chosen, last day not over':28}" + "".join(f"{count_early(days):>30}" for _, days in histories.values()))
    for name, (first, days) in histories.items():
        print(f"\n{name}: faults by the chosen criterion")
        tell_faults(name, first, days)
    fall = [5_000 // 7] * WARM
    passed = next(n for n in range(1, PATIENCE) if judge(fall + [250 // 7] * n))
    print(f"\nApril 2019, 5,000 a week to 250: found after {passed} days")


if __name__ == "__main__":
    main()
