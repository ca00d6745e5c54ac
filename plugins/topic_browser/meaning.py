"""The vector of a question, for a search by meaning beside words; where there is none, why.

Weights are loaded at the first question that needs them, once a process, by one thread that alone uses them: who waits
too long is answered by words alone, and nobody loads them a second time.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from petitions.errors import PetitionsError
from petitions.privacy import redact_error
from petitions.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

WAIT_S = 3.0  # for a vector; loading takes about one, a question some milliseconds
RETRY_S = 600.0  # until weights that could not be loaded are looked for again: a first night may download them


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A question as a vector."""

    vector: "NDArray[np.float32] | None" = None  # [D]
    encoder: str = ""  # whose it is
    lack: str = ""  # a name of `words` that says why there is none; empty where none is wanted


class Asker:
    """Embeds questions by the weights that the settings name."""

    def __init__(self) -> None:
        """Open nothing: the thread begins with the first question."""
        self._thread = ThreadPoolExecutor(1, "petition-questions")
        # All that follows belongs to that thread.
        self._key: tuple[str, ...] | None = None
        self._opened: tuple[str, Callable[[Sequence[str]], NDArray[np.float32]]] | None = None
        self._tried_at = 0.0

    def ask(self, question: str, settings: Settings) -> Meaning:
        """Embed a question, or say in WAIT_S seconds why not."""
        if settings.page_meaning == "off":
            return Meaning(lack="meaning_off")
        answer = self._thread.submit(self._embed, question, settings)
        try:
            return answer.result(WAIT_S)
        except TimeoutError:
            answer.cancel()
            return Meaning(lack="meaning_busy")

    def _embed(self, question: str, settings: Settings) -> Meaning:
        try:
            self._open(settings)
            if self._opened is not None:
                name, embed = self._opened
                return Meaning(vector=embed([question])[0], encoder=name)
        except (PetitionsError, ImportError, OSError) as error:
            logger.warning("the page searches by words alone: %s: %s", type(error).__name__, redact_error(error))
        return Meaning(lack="meaning_missing")

    def _open(self, settings: Settings) -> None:
        """Load the weights, unless they are loaded, or were not to be loaded a short time ago."""
        from petitions.encoders.registry import ENCODERS, SEARCHED

        entry = ENCODERS[SEARCHED]
        key = (*entry.models(settings), *entry.prompts(settings).values())
        if key == self._key and (self._opened or time.monotonic() - self._tried_at < RETRY_S):
            return
        self._key, self._opened, self._tried_at = key, None, time.monotonic()
        self._opened = entry.load_questions(settings)


ASKER = Asker()  # of the process
