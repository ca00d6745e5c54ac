"""The step fit_topics, from the tokens in the store to a fit in the store: one that is stored already, or a new one.

A fit is named after its window, tokens and settings. The same ones give the same name, and a fit that is stored already
is not made again, also where another one has been published since: its events say from which it went on.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING

from petitions.steps.step import Run
from petitions.store import runs, topic_reads, topics
from petitions.store.tokens import TokenStream, open_tokens
from petitions.text.tokenizer import TOKENIZER
from petitions.topics.lda_settings import RULES, LdaSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


def fit_topics(run: Run) -> str:
    """Fit the topics of the window, or find the same fit made already; returns its model_id.

    Raises:
        EmptyWindowError: too few petitions with tokens for any topics.
        CheckFailedError: the fit is much worse than the published one, or other; the last one stays published.
    """
    with run.step("fit_topics") as progress:
        model = _find_or_fit(run)
        progress.rows_in, progress.rows_out, progress.made_by = model.n_petitions, model.n_topics, model.engine
        with run.engine.begin() as conn:
            runs.record_model(conn, run.run_id, model.model_id)
    return model.model_id


def _find_or_fit(run: Run) -> topics.TopicModel:
    def embed(texts: Sequence[str]) -> "NDArray[np.float32]":
        from petitions.steps.encoders import load_encoder  # BERT, for the first texts alone

        return load_encoder("bert", run.settings)[1](texts)

    with open_tokens(run.engine, run.source, run.window, TOKENIZER) as stream:
        petition_ids, model_id = _name_fit(run, stream)
        if stored := topic_reads.find_topic_model(stream.conn, model_id):
            logger.info("nothing has changed: the fit %s is found, not made again", model_id)
            return stored
        from petitions.steps.new_fit import make_fit, store_fit  # gensim and more, which a stored fit need not wait for

        new = make_fit(run, stream, petition_ids, embed)
    return store_fit(run, model_id, petition_ids, new)


def _name_fit(run: Run, stream: TokenStream) -> tuple[list[str], str]:
    """The petitions, and a name of source, end of the window, and a hash of what the fit is made from."""
    made_by = (RULES, version("tomotopy"), version("gensim"), asdict(LdaSettings()), run.settings.topics)
    digest = hashlib.sha256(repr((run.window, TOKENIZER, made_by)).encode())
    petition_ids = []
    for petition_id, words in stream:
        petition_ids.append(petition_id)
        digest.update("\x00".join((petition_id, *words, "\n")).encode())
    return petition_ids, f"{run.source}-{run.window.until}-{digest.hexdigest()[:10]}"
