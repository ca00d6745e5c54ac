"""How patient a crawl is with a site: tries, pauses and bounds."""

from dataclasses import dataclass

MAX_BODY_BYTES = 5_000_000  # of one answer, decompressed


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """With the defaults a site that is down is given up after about six minutes, one that blocks us after 85."""

    tries: int = 12  # of one request that meets faults
    parse_tries: int = 8  # of one request whose answer is not what it should be
    first_pause_s: float = 1.0  # after a fault; doubles
    longest_pause_s: float = 60.0
    block_pause_s: float = 60.0  # after a 403; doubles. The Blue House blocked for about three minutes
    longest_block_s: float = 600.0  # also the most that a Retry-After is obeyed
    timeout_s: float = 30.0  # to connect, and between two reads; a whole body may take twice as long
