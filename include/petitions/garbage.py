"""How often a process of the command line looks for cycles among its objects."""

import atexit
import gc

YOUNG = 100_000  # objects made since, net of those that went, before the young are looked through; Python's own is 700
OLDER = 50  # such looks before the older ones are looked through too; Python's own is 10


def collect_seldom() -> None:
    """Look seldom, and not at the end, when memory goes with the process: most of what a night makes are modules.

    They cost a fourteenth of a quiet night's CPU seconds, and half a second at its end.
    """
    gc.set_threshold(YOUNG, OLDER, OLDER)
    atexit.register(gc.freeze)
