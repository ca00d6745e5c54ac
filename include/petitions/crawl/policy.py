"""How patient a crawl is with a site: tries, pauses and bounds."""

from dataclasses import dataclass

MAX_BODY_BYTES = 5_000_000  # of one answer, decompressed


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """With the defaults a site that is down is given up after about 14 minutes, one that blocks us after 65.

    Down: 19 pauses of 1, 2, 4, 8, 16, 32 and 13 times 60 s, half a second more each by chance; where each try hangs
    until it is cut off, 20 minutes more. Blocked: 9 pauses of 60, 120, 240, 480 and 5 times 600 s. Where half of the
    answers fail by chance, one request in a million finds no answer.
    """

    tries: int = 20  # of one request that meets faults
    aside_tries: int = 5  # of one petition that meets the same fault each time, while the site answers for others
    odd_tries: int = 2  # the same of one that brought no petition on an earlier night
    parse_tries: int = 8  # of one request whose answer is not what it should be
    gone_tries: int = 2  # a missing petition is believed when so many tries in a row say so
    first_pause_s: float = 1.0  # after a fault; doubles
    longest_pause_s: float = 60.0
    gone_pause_s: float = 30.0  # between the tries for a missing petition
    block_pause_s: float = 60.0  # after a 403; doubles. The Blue House blocked for about three minutes
    longest_block_s: float = 600.0  # also the most that a Retry-After is obeyed
    block_tries: int = 10  # blocked so often in a row, by whichever thread, the crawl gives up
    timeout_s: float = 30.0  # to connect, and between two reads; a whole answer may take twice as long
