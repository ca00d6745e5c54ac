"""The end of a crawl before its time: who waits by its clock, its threads, and SIGTERM."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from petitions.crawl.stopping import CrawlThreads, StoppableClock, StoppedError, end_on_sigterm


def test_results_come_in_order_and_an_error_goes_to_who_asked_for_the_result():
    def halve(number):
        time.sleep(0.01 * (4 - number))
        if number == 3:
            raise ValueError(number)
        return number / 2

    with CrawlThreads(4, StoppableClock()) as threads:
        results = threads.map(halve, range(4))
        assert [next(results) for _ in range(3)] == [0, 0.5, 1]
        with pytest.raises(ValueError, match="3"):
            next(results)


def test_a_block_that_ends_well_waits_for_what_is_at_work():
    done = []
    with CrawlThreads(2, StoppableClock()) as threads:
        for number in range(5):
            threads.submit(lambda number=number: (time.sleep(0.05), done.append(number)))
    assert sorted(done) == [0, 1, 2, 3, 4]


def test_a_block_that_ends_by_an_error_stops_who_waits_by_the_clock_and_leaves_who_waits_otherwise():
    clock, stopped, begun, elsewhere = StoppableClock(), [], threading.Barrier(3), threading.Event()

    def wait():
        begun.wait(10)
        try:
            clock.sleep(600)
        except StoppedError as error:
            stopped.append(error)
            raise

    def wait_elsewhere():
        begun.wait(10)
        elsewhere.wait(60)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), CrawlThreads(2, clock) as threads:
        threads.submit(wait)
        threads.submit(wait_elsewhere)
        never = threads.submit(stopped.append, None)
        begun.wait(10)
        never.cancel()
        raise KeyboardInterrupt
    assert time.monotonic() - began < 10
    assert len(stopped) == 1
    elsewhere.set()
    with pytest.raises(StoppedError):
        clock.sleep(0)


def test_sigterm_ends_a_block_in_the_main_thread_and_is_what_it_was_behind_it():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught, end_on_sigterm():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    assert caught.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before

    def enter() -> bool:
        with end_on_sigterm():
            return signal.getsignal(signal.SIGTERM) is before

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(enter).result()
