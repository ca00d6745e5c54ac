"""How often a process of the command line looks for cycles among its objects."""

import atexit
import gc

YOUNG = 100_000  # objects made since, net of those that went, before the young are looked through; Python's own is 700
OLDER = 50  # such looks before the older ones are looked through too; Python's own is 10


def collect_seldom() -> None:
    """Look seldom: most of what a quiet night makes are modules, which stay; a fourteenth of its CPU seconds is spared.

    Not for training, whose cycles may hold arrays.
    """
    gc.set_threshold(YOUNG, OLDER, OLDER)


def collect_nothing_at_end() -> None:
    """Look for none at the end, 0.4 s after a night: memory goes with the process."""
    atexit.register(gc.freeze)
