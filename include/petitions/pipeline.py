"""The steps of a run, in order: crawl, tokenize, fit_topics, encode, score, check, publish.

The only module that knows stages and store together. Each step reads a closed window, writes by upsert in
transactions of one chunk, and may be killed and run again: what it finds done, it leaves. The same step over the same
window runs once at a time. Heavy imports (TensorFlow, gensim, requests) stand inside the steps that need them.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from petitions.errors import CheckFailedError, ConfigError, DatabaseDownError, TransientError
from petitions.records import Source, Window, korean_day
from petitions.settings import Settings, TopicCount
from petitions.store import publishing, runs, scores, tokens, vectors
from petitions.store.artifacts import ArtifactStore
from petitions.store.checks import run_checks
from petitions.store.database import open_engine, require_schema
from petitions.store.petitions import PetitionText

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

SCORES = {"bert": ("next_sentence", "topic_similarity"), "elmo": ("topic_similarity",)}  # by encoder
ENCODERS = tuple(SCORES)
STEPS_PUBLISHED = tuple(f"encode {encoder}" for encoder in ENCODERS)  # what the first one made is searched
CHUNK = 256  # petitions in one transaction of encode and score: a killed step loses the work on so many at most
TOKENIZE_CHUNK = 2_000  # large enough for the tokenizer to use all cores


def now() -> datetime:
    """The moment, in UTC; the only clock of the package, and tests give another."""
    return datetime.now(UTC)


def today_in_seoul(clock: Callable[[], datetime] = now) -> date:
    """The day that it is in Korea."""
    return korean_day(clock())


@dataclass(slots=True)
class Progress:
    """What a step has read and written so far, and the version of what did it."""

    rows_in: int = 0
    rows_out: int = 0
    made_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """One run: a source, a window, and where its rows and files go."""

    settings: Settings
    engine: Engine
    artifacts: ArtifactStore
    source: Source
    window: Window
    clock: Callable[[], datetime] = field(default=now)

    @classmethod
    def open(
        cls, *, until: date, months: int = 3, source: str | None = None, topics: TopicCount | None = None
    ) -> "Pipeline":
        """Read the settings and connect; `source` and `topics` go before their settings.

        Raises:
            ConfigError, DatabaseDownError, SchemaError: before anything is read or written.
        """
        settings = Settings.from_env()
        settings = replace(
            settings, source=source or settings.source, topics=settings.topics if topics is None else topics
        )
        window = Window.ending(until, months)
        engine = open_engine(settings.database_url)
        require_schema(engine)
        artifacts = ArtifactStore(settings.artifacts)
        return cls(settings=settings, engine=engine, artifacts=artifacts, source=Source(settings.source), window=window)

    def run(self) -> str:
        """Run all steps; returns the model_id that is published."""
        self.crawl()
        self.tokenize()
        model_id = self.fit_topics()
        for encoder in ENCODERS:
            self.encode(encoder)
        for encoder in ENCODERS:
            self.score(model_id, encoder)
        self.check(model_id)
        self.publish(model_id)
        return model_id

    def crawl(self, *, is_replay: bool = False) -> int:
        """Fetch what is new or may have changed; returns the petitions and other answers that were read.

        Args:
            is_replay: read the archive of raw answers instead of the site.

        Raises:
            FetchError, SiteChangedError: the site; what came before is kept.
            EmptyWindowError: the site has no petition in the window.
        """
        from petitions.crawl.archive import Archive
        from petitions.gathering import gather, gather_again

        with self._step("crawl") as progress:
            parts = (self.engine, Archive(self.artifacts), self.source, self.window, self.settings)
            for n_items, written in gather_again(*parts) if is_replay else gather(*parts, now=self.clock):
                progress.rows_in += n_items
                progress.rows_out += written.inserted + written.updated
        return progress.rows_in

    def tokenize(self) -> int:
        """Tokenize the texts that this tokenizer has not seen; returns how many."""
        from petitions.text.tokenizer import TOKENIZER, describe_tokenizer, tokenize_many

        with self._step("tokenize") as progress:
            progress.made_by = TOKENIZER
            with self.engine.begin() as conn:
                tokens.record_tokenizer(conn, describe_tokenizer())
            read = partial(tokens.read_untokenized, tokenizer=TOKENIZER, limit=TOKENIZE_CHUNK)
            for chunk in self._chunks(read, progress):
                made = tokenize_many([join_text(item) for item in chunk])
                rows = [
                    tokens.PetitionTokens(
                        petition_id=item.petition_id, tokenizer=TOKENIZER, content_hash=item.content_hash, tokens=words
                    )
                    for item, words in zip(chunk, made, strict=True)
                ]
                with self.engine.begin() as conn:
                    tokens.upsert_tokens(conn, rows)
        return progress.rows_out

    def fit_topics(self) -> str:
        """Fit the topics of the window, or find the same fit made already; returns its model_id.

        Raises:
            EmptyWindowError: too few petitions with tokens for any topics.
            CheckFailedError: the fit is much worse than the published one, or other; the last one stays published.
        """
        from petitions.fitting import fit_window

        with self._step("fit_topics") as progress:
            parts = (self.engine, self.artifacts, self.source, self.window, self.settings.topics)
            model = fit_window(*parts, at=self.clock(), embed=self._embed)
            progress.rows_in, progress.rows_out, progress.made_by = model.n_petitions, model.n_topics, model.engine
            with self.engine.begin() as conn:
                runs.record_model(conn, self.run_id, model.model_id)
        return model.model_id

    def encode(self, encoder: str) -> int:
        """Embed the texts that an encoder, "bert" or "elmo", has not seen; returns how many."""
        from petitions.judging import load_encoder

        with self._step(f"encode {encoder}") as progress:
            name, embed = load_encoder(encoder, self.settings)
            progress.made_by = name
            for chunk in self._chunks(partial(vectors.read_unencoded, encoder=name, limit=CHUNK), progress):
                embeddings = embed([join_text(item) for item in chunk])
                with self.engine.begin() as conn:
                    vectors.upsert_embeddings(conn, name, chunk, embeddings)
        return progress.rows_out

    def score(self, model_id: str, encoder: str) -> int:
        """Score the petitions of the window by one encoder; returns the petitions that had not been scored."""
        from petitions import judging

        with self._step(f"score {encoder}") as progress:
            progress.made_by = name = self._read_made_by(f"encode {encoder}")
            if encoder == "bert":
                judge = judging.load_judge(self.settings, name)
                read = partial(scores.read_unscored, encoder=name, score="next_sentence", limit=CHUNK)
                for chunk in self._chunks(read, progress):
                    found, words = judge(chunk)
                    with self.engine.begin() as conn:
                        scores.upsert_keywords(conn, words)
                        scores.upsert_scores(conn, found)
            with self.engine.begin() as conn:
                written = judging.score_similarity(conn, self.source, self.window, name, model_id)
            progress.rows_out += written.inserted + written.updated
        return progress.rows_out

    def check(self, model_id: str) -> int:
        """Audit what the run wrote, and store the outcome; returns the number of checks.

        Raises:
            CheckFailedError: names each check that failed, its value and its limit.
        """
        with self._step("check") as progress:
            made = {self._read_made_by(f"encode {encoder}"): SCORES[encoder] for encoder in ENCODERS}
            with self.engine.begin() as conn:  # of the encoder that is searched, so that its recall is checked too
                vectors.ensure_index(conn, next(iter(made)))
            with self.engine.begin() as conn:
                results = run_checks(conn, self.source, self.window, model_id, made)
                runs.write_checks(conn, self.run_id, results, at=self.clock())
            failed = [f"{item.name} is {item.value:g}, must be {item.limit}" for item in results if not item.passed]
            if failed:
                raise CheckFailedError(f"{self.run_id}: {'; '.join(failed)}")
            progress.rows_in = progress.rows_out = len(results)
            with self.engine.begin() as conn:
                runs.finish_run(conn, self.run_id, "checked", at=self.clock())
        return len(results)

    def publish(self, model_id: str) -> None:
        """Switch the readers of the source to a fit whose run passed its checks, in one transaction.

        Raises:
            ConfigError: there is no such fit.
            CheckFailedError: its run has not been checked, or a check failed.
        """
        with self._step("publish") as progress:
            with self.engine.begin() as conn:
                changed = publishing.publish_checked(conn, model_id, STEPS_PUBLISHED, at=self.clock())
            progress.rows_in, progress.rows_out = 1, int(changed)

    def read_model_id(self) -> str:
        """The fit that the run made last.

        Raises:
            ConfigError: it has made none.
        """
        with self.engine.connect() as conn:
            return runs.read_model_id(conn, self.run_id)

    @property
    def run_id(self) -> str:
        """The key of the run: source and window."""
        return runs.name_run(self.source, self.window)

    def _embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Embed a few texts by BERT, which is loaded for the first of them."""
        from petitions.judging import load_encoder

        return load_encoder("bert", self.settings)[1](texts)

    def _read_made_by(self, step: str) -> str:
        """Which version did an earlier step, such as the encoder's name."""
        with self.engine.connect() as conn:
            made_by = runs.read_made_by(conn, self.run_id).get(step)
        if not made_by:
            raise ConfigError(f"the run {self.run_id} has not done the step {step!r} yet")
        return made_by

    def _chunks(
        self, read: Callable[[Connection, Source, Window], list[PetitionText]], progress: Progress
    ) -> Iterator[list[PetitionText]]:
        """Read what is not done yet, chunk by chunk; a chunk counts as done when the caller asks for the next."""
        while True:
            with self.engine.connect() as conn:
                chunk = read(conn, self.source, self.window)
            if not chunk:
                return
            yield chunk
            progress.rows_in += len(chunk)
            progress.rows_out += len(chunk)
            logger.info("%s: %d petitions done", self.run_id, progress.rows_out)

    @contextmanager
    def _step(self, name: str) -> Iterator[Progress]:
        """Hold the step's lock, time it, record how it went, and log one line of it."""
        progress, started = Progress(), time.monotonic()
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
            # Released with the connection, so that a killed step leaves no lock behind.
            held = text("SELECT pg_try_advisory_lock(hashtext('petitions.step'), hashtext(:step))")
            if not lock.scalar(held, {"step": f"{self.run_id} {name}"}):
                raise TransientError(f"another process is at the step {name} of the run {self.run_id}")
            try:
                with self.engine.begin() as conn:
                    runs.begin_run(conn, self.source, self.window, at=self.clock())
                yield progress
                result = runs.StepResult(
                    rows_in=progress.rows_in,
                    rows_out=progress.rows_out,
                    seconds=time.monotonic() - started,
                    made_by=progress.made_by,
                )
                with self.engine.begin() as conn:
                    runs.record_step(conn, self.run_id, name, result)
            except Exception as error:
                with suppress(DatabaseDownError), self.engine.begin() as conn:
                    runs.fail_run(conn, self.run_id, f"{name}: {type(error).__name__}: {error}", at=self.clock())
                raise
            finally:
                lock.execute(text("SELECT pg_advisory_unlock_all()"))
        logger.info(
            "%s %s: %d rows in, %d rows out, %.1f s", self.run_id, name, result.rows_in, result.rows_out, result.seconds
        )


def join_text(item: PetitionText) -> str:
    """Title, purpose and body on lines of their own, an empty purpose left out: what is tokenized and encoded."""
    return "\n".join(part for part in (item.title, item.purpose, item.body) if part)
