"""Turns of several ways to do the same work, and what is said of them: medians, and how many times as fast we are.

The one place for it: `take_turns` lets each way have its turn in every round, so that a slow moment of the machine
meets all; `measure_lead` is over 1 where ours is faster.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def take_turns(ways: Mapping[str, Callable[[int], T]], rounds: int) -> dict[str, list[T]]:
    """Call each way once a round, with the number of the round; every second round the other way about."""
    told: dict[str, list[T]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways) if number % 2 == 0 else reversed(list(ways)):
            told[name].append(ways[name](number))
    return told


def measure_lead(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """How many times as fast ours was, round by round: the median, the least and the most; over 1, ours is faster."""
    leads = [their / our for our, their in zip(ours, theirs, strict=False) if our > 0]
    return statistics.median(leads), min(leads), max(leads)
