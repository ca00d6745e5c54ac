import random
import statistics
import threading
import time

import pytest
from site_server import FastClock

from own_pace import Limiter
from petitions.crawl.spacing import LONG_REST_S, MOST_WIDENED, PROBE_S, REST, SLACK, Spacing


class SteppedClock:
    """Stands still but for sleeps."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def pass_times(limiter, clock, n):
    times = []
    for _ in range(n):
        limiter.wait()
        times.append(clock.now)
    return times


def test_requests_pass_evenly_spaced_and_never_more_than_the_rate_in_any_second():
    clock = SteppedClock()
    times = pass_times(Limiter(4, clock), clock, 40)
    assert all(sum(begin <= other < begin + 1 for other in times) <= 4 for begin in times)


def test_time_that_went_unused_is_not_made_up_for():
    clock = SteppedClock()
    limiter = Limiter(2, clock)
    limiter.wait()
    clock.now += 100
    first, second = pass_times(limiter, clock, 2)
    assert second - first >= 0.5


def test_a_hold_stops_everybody_and_a_shorter_one_does_not_end_it():
    clock = SteppedClock()
    limiter = Limiter(100, clock)
    limiter.hold(60)
    limiter.hold(1)
    limiter.wait()
    assert clock.now >= 60


def test_a_slower_pace_stays():
    clock = SteppedClock()
    limiter = Limiter(100, clock)
    limiter.slow_down(10)
    limiter.slow_down(1)
    first, second = pass_times(limiter, clock, 2)
    assert second - first >= 10


def test_crawl_delay_counts_for_the_very_next_request():
    clock = SteppedClock()
    limiter = Limiter(100, clock)
    limiter.wait()
    limiter.slow_down(10)
    limiter.wait()
    assert clock.now >= 10


def test_after_a_long_rest_one_request_goes_ahead_until_there_is_a_success():
    clock = SteppedClock()
    limiter = Limiter(100, clock)
    limiter.hold(LONG_REST_S)
    probe, second = pass_times(limiter, clock, 2)
    assert second - probe >= PROBE_S
    limiter.note(0.1, is_fault=True)
    (third,) = pass_times(limiter, clock, 1)
    assert third - second >= PROBE_S
    limiter.note(0.1, is_fault=False)
    _, *others = pass_times(limiter, clock, 3)
    assert others[1] - others[0] < 1


def test_slow_answers_widen_the_spacing_to_twice_their_latency_and_quick_ones_narrow_it_to_the_base_again():
    spacing = Spacing(2)
    base = SLACK / 2
    widths = []
    for _ in range(20):
        spacing.note(5.0, is_fault=False)
        widths.append(spacing.seconds)
    assert base < widths[0] < widths[1] < widths[-1] == pytest.approx(REST * 5.0, rel=1e-3)
    spacing.note(0.1, is_fault=False)
    assert base < spacing.seconds < widths[-1]
    for _ in range(50):
        spacing.note(0.1, is_fault=False)
    assert spacing.seconds == base


def test_a_latency_that_falls_but_stays_slow_narrows_no_further_than_itself():
    spacing = Spacing(2)
    for seconds in [30.0] * 20 + [1.0] * 50:
        spacing.note(seconds, is_fault=False)
    assert spacing.seconds == pytest.approx(REST * 1.0)


def test_no_fault_narrows_the_spacing_however_quick_it_comes_and_faults_alone_stop_at_the_cap():
    spacing = Spacing(2)
    widths = [spacing.seconds]
    for _ in range(50):
        spacing.note(0.001, is_fault=True)
        widths.append(spacing.seconds)
    assert widths == sorted(widths)
    assert widths[0] < widths[1] < widths[-1] == pytest.approx(MOST_WIDENED * widths[0])
    spacing.note(20.0, is_fault=True)
    assert spacing.seconds > widths[-1]


def test_crawl_delay_is_a_base_that_quick_answers_do_not_undo():
    spacing = Spacing(2)
    spacing.slow_down(10)
    for _ in range(50):
        spacing.note(0.1, is_fault=False)
    assert spacing.seconds == 10


def test_a_third_of_faults_by_chance_does_not_keep_the_spacing_wide():
    spacing, chance, widths = Spacing(2), random.Random(0), []
    for _ in range(10_000):
        spacing.note(0.1, is_fault=chance.random() < 0.3)
        widths.append(spacing.seconds * 2 / SLACK)  # in bases
    assert statistics.median(widths) < 3
    assert sum(width == pytest.approx(MOST_WIDENED) for width in widths) < 0.1 * len(widths)


def test_threads_share_the_pace():
    limiter, times, began = Limiter(100, FastClock(1)), [], time.monotonic()
    threads = [threading.Thread(target=lambda: [(limiter.wait(), times.append(1)) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 20
    assert time.monotonic() - began >= 0.19
