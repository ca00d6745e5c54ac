"""How a process of the command line logs."""

import logging
import sys


def log_to_stderr(level: int) -> None:
    """Log what the package says from a level on, and warnings of others, on standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("petitions").setLevel(level)
