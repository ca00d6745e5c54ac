"""The steps of a run, in order: crawl, tokenize, fit_topics, encode, score, check, publish.

The only module that knows stages and store together. Each step reads a closed window, writes by upsert in
transactions of one chunk, and may be killed and run again: what it finds done, it leaves. The same step over the same
window runs once at a time. Heavy imports (TensorFlow, gensim, requests) stand inside the steps that need them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from petitions.errors import ConfigError
from petitions.records import Source, Window, korean_day
from petitions.settings import Settings, TopicCount
from petitions.steps.check import count_passed, plan_audit
from petitions.steps.step import Progress, Report, begin_parts, hold_step, read_chunks, refuse_part, report_nothing
from petitions.store import publishing, runs, scores, tokens, topic_reads, vectors
from petitions.store.artifacts import ArtifactStore
from petitions.store.checks import PlannedCheck, run_check
from petitions.store.database import open_engine, require_schema
from petitions.store.parts import WHOLE, Part
from petitions.store.petitions import PetitionText

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """One run: a source, a window, and where its rows and files go."""

    settings: Settings
    engine: Engine
    artifacts: ArtifactStore
    source: Source
    window: Window
    clock: Callable[[], datetime] = field(default=now)
    report: Report = field(default=report_nothing)

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

    def run(self, *, is_by_hand: bool = True) -> str:
        """Run all steps; returns the model_id of the fit, which is published as by `publish`."""
        self.crawl()
        self.tokenize()
        model_id = self.fit_topics()
        for encoder in ENCODERS:
            self.encode(encoder)
        for encoder in ENCODERS:
            self.score(model_id, encoder)
        self.check(model_id)
        self.publish(model_id, is_by_hand=is_by_hand)
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
        from petitions.steps.crawl import gather, gather_again

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
        from petitions.steps.fit_topics import fit_window

        with self._step("fit_topics") as progress:
            parts = (self.engine, self.artifacts, self.source, self.window, self.settings.topics)
            model = fit_window(*parts, at=self.clock(), embed=self._embed)
            progress.rows_in, progress.rows_out, progress.made_by = model.n_petitions, model.n_topics, model.engine
            with self.engine.begin() as conn:
                runs.record_model(conn, self.run_id, model.model_id)
        return model.model_id

    def plan_parts(self, step: str) -> int:
        """Begin a step of parts; gives how many, 8 to 64, of about so many petitions each as one transaction takes."""
        return begin_parts(self.engine, self.source, self.window, step, self.clock, CHUNK)

    def refuse_failed(self, step: str, part: Part) -> None:
        """Refuse a part whose last try, by another worker, ended in an error; see `refuse_part`."""
        refuse_part(self.engine, self.run_id, step, part)

    def encode(self, encoder: str, part: Part = WHOLE) -> int:
        """Embed the texts that an encoder, "bert" or "elmo", has not seen; returns how many."""
        from petitions.encoders.names import name_weights

        with self._step(f"encode {encoder}", part) as progress:
            progress.made_by = name = name_weights(encoder, self.settings)
            read = partial(vectors.read_unencoded, encoder=name, limit=CHUNK, part=part)
            embed = None
            for chunk in self._chunks(read, progress):
                if embed is None:  # TensorFlow and the weights, which a part without new petitions need not wait for
                    from petitions.steps.score import load_encoder

                    _, embed = load_encoder(encoder, self.settings)
                embeddings = embed([join_text(item) for item in chunk])
                with self.engine.begin() as conn:
                    vectors.upsert_embeddings(conn, name, chunk, embeddings)
        return progress.rows_out

    def score(self, model_id: str, encoder: str) -> int:
        """Score the petitions of the window by one encoder; returns the scores and keywords that were written."""
        n_scored = self.score_texts() if "next_sentence" in SCORES[encoder] else 0
        return n_scored + self.score_similarity(model_id, encoder)

    def score_texts(self, part: Part = WHOLE) -> int:
        """Give the texts that BERT has not scored their next-sentence score and keywords; returns how many.

        Raises:
            ConfigError: they are not encoded yet, or by other weights than the setting names.
        """
        with self._step("score bert", part) as progress:
            progress.made_by = name = self._read_made_by("encode bert")
            read = partial(scores.read_unscored, encoder=name, score="next_sentence", limit=CHUNK, part=part)
            judge = None
            for chunk in self._chunks(read, progress):
                if judge is None:
                    from petitions.steps.score import load_judge

                    judge = load_judge(self.settings, name)
                found, words = judge(chunk)
                with self.engine.begin() as conn:
                    scores.upsert_keywords(conn, words)
                    scores.upsert_scores(conn, found)
        return progress.rows_out

    def score_similarity(self, model_id: str, encoder: str) -> int:
        """Score how near the petitions of the window stand to the middle of their topic; returns the rows written."""
        from petitions.steps import score_similarity as similarity

        with self._step(f"similarity {encoder}") as progress:
            progress.made_by = name = self._read_made_by(f"encode {encoder}")
            parts = (self.engine, self.artifacts, self.source, self.window, name, model_id)
            written = similarity.score_similarity(*parts, is_searched=encoder == ENCODERS[0])
            progress.rows_in = written.inserted + written.updated + written.unchanged
            progress.rows_out = written.inserted + written.updated
        return progress.rows_out

    def plan_checks(self, model_id: str) -> list[PlannedCheck]:
        """List the checks of the run; see `plan_audit`."""
        made = {self._read_made_by(f"encode {encoder}"): SCORES[encoder] for encoder in ENCODERS}
        return plan_audit(self.engine, self.source, self.window, model_id, made, self.clock())

    def finish_checks(self) -> int:
        """Take the outcomes of all planned checks; returns how many, and raises as `count_passed`."""
        with self._step("check") as progress, self.engine.begin() as conn:
            progress.rows_in = progress.rows_out = count_passed(conn, self.run_id)
        with self.engine.begin() as conn:
            runs.finish_run(conn, self.run_id, "checked", at=self.clock())
        return progress.rows_in

    def check(self, model_id: str) -> int:
        """Audit what the run wrote, and store the outcome; returns the number of checks, and raises as their end."""
        planned = self.plan_checks(model_id)
        with self.engine.begin() as conn:
            results = [run_check(conn, item) for item in planned]
            runs.write_checks(conn, self.run_id, results, at=self.clock())
        return self.finish_checks()

    def publish(self, model_id: str, *, is_by_hand: bool = True) -> bool:
        """Switch the readers of the source to a fit whose run passed its checks, in one transaction.

        Args:
            model_id: the fit.
            is_by_hand: also in place of a fit whose window ends later.

        Returns:
            Whether readers see it; not where they keep a later window.

        Raises:
            ConfigError, CheckFailedError: see `publish_checked`.
        """
        with self._step("publish") as progress:
            with self.engine.begin() as conn:
                changed = publishing.publish_checked(
                    conn, model_id, STEPS_PUBLISHED, at=self.clock(), is_by_hand=is_by_hand
                )
                current = topic_reads.read_published(conn, self.source)
            progress.rows_in, progress.rows_out = 1, int(changed)
        return current is not None and current.model_id == model_id

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
        from petitions.steps.score import load_encoder

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
        return read_chunks(self.engine, lambda conn: read(conn, self.source, self.window), progress)

    def _step(self, name: str, part: Part = WHOLE) -> AbstractContextManager[Progress]:
        return hold_step(self.engine, self.source, self.window, name, self.clock, part, self.report)


def join_text(item: PetitionText) -> str:
    """Title, purpose and body on lines of their own, an empty purpose left out: what is tokenized and encoded."""
    return "\n".join(part for part in (item.title, item.purpose, item.body) if part)
