import threading
import time

from site_server import FastClock

from petitions.crawl.limiter import Limiter


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


def test_threads_share_the_pace():
    limiter, times, began = Limiter(100, FastClock(1)), [], time.monotonic()
    threads = [threading.Thread(target=lambda: [(limiter.wait(), times.append(1)) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 20
    assert time.monotonic() - began >= 0.19
