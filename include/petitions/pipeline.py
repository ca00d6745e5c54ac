"""The steps of a run, in order: crawl, tokenize, find_copies, fit_topics, encode, score, check, publish.

`encode` is all that depends on a text alone, `score` what depends on a fit.

Each is a module of `petitions.steps`, which is imported with what it needs (TensorFlow, gensim, requests) when the step
is taken. A step reads a closed window, writes by upsert in transactions of one chunk, and may be killed and run again:
what it finds done, it leaves. The same step over the same window runs once at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.encoders.scorers import list_scorers, name_scorer
from petitions.records import Source, Window, korean_day
from petitions.settings import Settings, TopicCount
from petitions.steps import step as steps
from petitions.store import runs
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine, require_schema
from petitions.store.parts import WHOLE, Part
from petitions.store.topic_reads import read_topic_model

_SEARCHED_FIRST = sorted(ENCODERS, key=lambda name: name != SEARCHED)
STEPS_PUBLISHED = tuple(f"encode {encoder}" for encoder in _SEARCHED_FIRST)  # what the first one made is searched
SCORES = {
    name: {score: (item.least, item.most) for score, item in ENCODERS[name].scores.items()} for name in _SEARCHED_FIRST
}


def today_in_seoul(clock: Callable[[], datetime] = steps.now) -> date:
    """The day that it is in Korea."""
    return korean_day(clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(steps.Run):
    """A run and its steps; what they are given is the run."""

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

    @property
    def scorers(self) -> tuple[str, ...]:
        """The fine-tuned models of the settings, as their parts of the step score are called.

        Raises:
            ConfigError: two have one name, or one that of an encoder.
        """
        return tuple(list_scorers(self.settings.scorers))

    @property
    def text_scorers(self) -> tuple[str, ...]:
        """What `score_texts` can be asked for: encoders with scores of a text alone, and fine-tuned models."""
        return (*(name for name, entry in ENCODERS.items() if entry.text_scores), *self.scorers)

    def of_fit(self, model_id: str) -> "Pipeline":
        """The run that made a fit, of any source and window.

        Raises:
            ConfigError: there is no such fit.
        """
        with self.engine.connect() as conn:
            model = read_topic_model(conn, model_id)
        return replace(self, source=model.source, window=model.window)

    def run(self, *, is_by_hand: bool = True) -> str:
        """Run all steps; returns the model_id of the fit, which is published as by `publish`.

        Raises:
            WeightsError: an encoder lacks a head that a score needs, or a fine-tuned model gives no labels; told
                before anything is done.
        """
        for entry in ENCODERS.values():
            entry.require_heads(self.settings)
        for model in list_scorers(self.settings.scorers).values():
            name_scorer(model)
        self.crawl()
        self.tokenize()
        self.find_copies()
        model_id = self._fit_and_encode()
        self.score(model_id)
        self.check(model_id)
        self.publish(model_id, is_by_hand=is_by_hand)
        return model_id

    def crawl(self, *, is_replay: bool = False, recorded: Sequence[Path] = ()) -> int:
        """Fetch what is new or may have changed; returns the petitions and other answers that were read.

        Args:
            is_replay: read the archive of raw answers instead of the site.
            recorded: WARC files of other tools to read instead of the whole archive.
        """
        from petitions.steps.crawl import crawl

        return crawl(self, is_replay=is_replay, recorded=recorded)

    def tokenize(self) -> int:
        """Tokenize the texts that this tokenizer has not seen; returns how many."""
        from petitions.steps.tokenize import tokenize

        return tokenize(self)

    def find_copies(self) -> int:
        """Find the petitions of the window that say the same; returns how many pairs."""
        from petitions.steps.find_copies import find_copies

        return find_copies(self)

    def fit_topics(self) -> str:
        """Fit the topics of the window, or find the same fit made already; returns its model_id."""
        from petitions.steps.fit_topics import fit_topics

        return fit_topics(self)

    @property
    def text_steps(self) -> tuple[str, ...]:
        """The steps that depend on a text alone, as they are recorded: "encode bert", "score bert" and so on."""
        return (*(f"encode {name}" for name in ENCODERS), *(f"score {name}" for name in self.text_scorers))

    def plan_encode(self) -> int:
        """Find in how many parts workers should share what texts lack, 1 to 64; 0 where they lack nothing.

        A part is about so many petitions as one transaction takes. Where nothing is left, the steps are done here: they
        find it so, and load nothing.
        """
        n_parts = steps.begin_parts(self, self.text_steps, self._count_left())
        if n_parts == 0:
            self.encode_texts()
        return n_parts

    def refuse_failed(self, part: Part) -> None:
        """Refuse a part of `encode_texts` whose last try, by another worker, ended in an error; see `refuse_part`."""
        for step in self.text_steps:
            steps.refuse_part(self, step, part)

    def encode_texts(self, part: Part = WHOLE) -> int:
        """Give texts all that depends on a text alone: vectors, scores, keywords, labels; returns what was written.

        One after the other in one process, which loads TensorFlow once, and each network.
        """
        n_written = 0
        for encoder in ENCODERS:
            n_written += self.encode(encoder, part)
            n_written += self.score_texts(encoder, part) if encoder in self.text_scorers else 0
        return n_written + sum(self.score_texts(scorer, part) for scorer in self.scorers)

    def encode(self, encoder: str, part: Part = WHOLE) -> int:
        """Embed the texts that an encoder, such as "bert", has not seen; returns how many."""
        from petitions.steps.encode import encode

        return encode(self, encoder, part)

    def score_texts(self, encoder: str, part: Part = WHOLE) -> int:
        """Give the texts that an encoder, or a fine-tuned model, has not scored what it gives; returns how many."""
        if encoder not in ENCODERS:
            from petitions.steps.label import label_texts

            return label_texts(self, encoder, part)
        from petitions.steps.score import score_texts

        return score_texts(self, encoder, part)

    def score(self, model_id: str) -> int:
        """Score the petitions of the window by a fit, with the vectors of all encoders; returns the rows written."""
        return sum(self.score_similarity(model_id, encoder) for encoder in ENCODERS)

    def score_similarity(self, model_id: str, encoder: str) -> int:
        """Score how near the petitions of the window stand to the middle of their topic; returns the rows written."""
        from petitions.steps.score_similarity import score_similarity

        return score_similarity(self, model_id, encoder, is_searched=ENCODERS[encoder].is_searched)

    def check(self, model_id: str) -> int:
        """Audit what the run wrote, and store the outcome; returns the number of checks.

        Raises:
            CheckFailedError: names each check that failed, its value and its limit.
        """
        from petitions.steps.check import check

        return check(self, model_id, SCORES, self.scorers)

    def publish(self, model_id: str, *, is_by_hand: bool = True) -> bool:
        """Switch the readers of the source to a fit that passed its checks, in one transaction.

        Args:
            model_id: the fit.
            is_by_hand: also in place of a fit whose window ends later.

        Returns:
            Whether readers see it; not where they keep a later window.
        """
        from petitions.steps.publish import publish

        shown = (*STEPS_PUBLISHED, *(f"score {scorer}" for scorer in self.scorers))
        return publish(self, model_id, shown, is_by_hand=is_by_hand)

    def _fit_and_encode(self) -> str:
        """Both steps, beside each other where texts lack something; returns the model_id."""
        if self._count_left() == 0:
            model_id = self.fit_topics()
            self.encode_texts()
            return model_id
        from petitions.steps.fit_beside import fit_beside

        with fit_beside(self) as wait:
            self.encode_texts()
            return wait()

    def _count_left(self) -> int:
        """The most petitions that one of the text's steps has left to do."""
        from petitions.steps import encode, label, score

        counts = {f"encode {name}": partial(encode.count_left, self, name) for name in ENCODERS}
        for name in self.text_scorers:
            counts[f"score {name}"] = partial((score if name in ENCODERS else label).count_left, self, name)
        n_left = 0
        for step, count in counts.items():
            with steps.tell_failure(self, step):
                n_left = max(n_left, count())
        return n_left

    def read_model_id(self) -> str:
        """The fit that the run made last.

        Raises:
            ConfigError: it has made none.
        """
        with self.engine.connect() as conn:
            return runs.read_model_id(conn, self.run_id)
