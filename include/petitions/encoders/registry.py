"""The encoders, a row each: which setting names the weights, how they are loaded, what they score, who is searched.

Whatever needs TensorFlow is named, not imported: a task that finds nothing to do reads the names alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from petitions.encoders.quiet_start import quiet_start
from petitions.errors import ConfigError
from petitions.records import PetitionText
from petitions.settings import PREFIX, Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# An encoder and N texts give float32 [N].
ScoreTexts = Callable[[Any, Sequence[PetitionText]], "NDArray[np.float32]"]
# An encoder and N texts give vectors float32 [N, D], and by its name each score of a text float32 [N].
EncoderReader = Callable[[Any, Sequence[PetitionText]], "tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]"]


class Encoder(Protocol):
    """What `load` gives: an encoder with its weights, ready to embed."""

    name: str  # of the weights; rows are stored under it
    dimensions: int

    def embed(self, texts: Sequence[Any], /) -> "NDArray[np.float32]":
        """Embed N texts (or lists of morphemes) as float32 [N, D], each row of unit length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreEntry:
    """One score, and the range that it must be in."""

    least: float = 0.0
    most: float = 1.0
    of_text: str = (
        ""  # "module:name" of a ScoreTexts; empty for a score that depends on a fit, see steps.score_similarity
    )
    head: str = ""  # of the network, that it needs; see encoders.tensor_names

    def load(self) -> ScoreTexts:
        """Import what computes the score of a text."""
        found: ScoreTexts = resolve_name(self.of_text)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderEntry:
    """One encoder."""

    setting: str  # the field of Settings that names its weights
    vector_setting: str = ""  # that of the weights that give its vectors, where these may be others
    prompts_setting: str = ""  # that of the prompts of these
    name_weights: str  # "module:name" of what names the weights of its models, without loading them
    loader: str  # "module:name" of what takes model, accelerator and model of the vectors, and gives an Encoder
    question_loader: str = (
        ""  # of what embeds questions alone, in a server: from files that are here, without TensorFlow
    )
    reader: str = ""  # "module:name" of an EncoderReader, where vectors and scores of a text share work
    reads_morphemes: bool = False  # texts are given as lists of morphemes
    has_engines: bool = False  # PETITIONS_CPU_ENGINE chooses what computes it
    is_searched: bool = False  # readers search its vectors
    has_keywords: bool = False  # keywords are stored under its name
    # Of the logarithm of a word's masked ratio among the weights of text.keywords; 0: the encoder is not asked. Set
    # by measurement for the weights that ship (docs/search.md, "Keywords").
    masked_weight: float = 0.0
    scores: Mapping[str, ScoreEntry] = field(default_factory=dict)

    @property
    def text_scores(self) -> tuple[str, ...]:
        """The scores of a text alone."""
        return tuple(name for name, score in self.scores.items() if score.of_text)

    @property
    def variables(self) -> str:
        """The environment variables that name its weights, for messages."""
        return " and ".join(f"{PREFIX}{name.upper()}" for name in (self.setting, self.vector_setting) if name)

    @property
    def heads(self) -> dict[str, str]:
        """The heads of the network that its scores need, and of each what needs it."""
        heads = {score.head: name for name, score in self.scores.items() if score.head}
        return heads | ({"masked words": "the keywords"} if self.masked_weight else {})

    def models(self, settings: Settings) -> tuple[str, ...]:
        """The folders or hub names that the settings give: of the weights, and of those of the vectors."""
        return tuple(getattr(settings, name) for name in (self.setting, self.vector_setting) if name)

    def name(self, settings: Settings) -> str:
        """The name of the weights that the settings give; see `encoders.names` for what is raised."""
        found: str = resolve_name(self.name_weights)(*self.models(settings), **self.prompts(settings))
        return found

    def prompts(self, settings: Settings) -> dict[str, str]:
        """The prompts that the settings give, as loader and name take them."""
        return {"prompts": getattr(settings, self.prompts_setting)} if self.prompts_setting else {}

    def require_heads(self, settings: Settings) -> None:
        """Refuse weights without a head that a score needs, before anything is loaded or computed.

        Raises:
            WeightsError: names the head and what needs it; or the weights are missing or damaged.
        """
        if self.heads:
            resolve_name("petitions.encoders.tensor_names:require_heads")(self.heads, *self.models(settings))

    def load(self, settings: Settings) -> Encoder:
        """Load the weights that the settings give.

        Raises:
            WeightsError: they are missing or incomplete.
            ConfigError: the accelerator is missing.
        """
        model, *others = self.models(settings)
        engine = {"cpu_engine": settings.cpu_engine} if self.has_engines else {}
        with quiet_start():
            load = resolve_name(self.loader)
        found: Encoder = load(model, settings.accelerator, *others, **self.prompts(settings), **engine)
        return found

    def load_questions(self, settings: Settings) -> tuple[str, "Callable[[Sequence[str]], NDArray[np.float32]]"]:
        """The name of the weights, and what embeds N questions as float32 [N, D], for a server that does no more.

        Raises:
            WeightsError: they are missing, incomplete, or too large for it.
            FetchError: a hub model was not downloaded here.
            ConfigError: a package is missing.
        """
        opened: Any = resolve_name(self.question_loader)(*self.models(settings), **self.prompts(settings))
        return opened.name, partial(opened.embed, is_question=True)


_TOPIC_SIMILARITY = ScoreEntry(least=-1.0)
ENCODERS: Mapping[str, EncoderEntry] = MappingProxyType(
    {
        "bert": EncoderEntry(
            setting="bert_model",
            vector_setting="embedding_model",
            prompts_setting="embedding_prompts",
            name_weights="petitions.encoders.names:name_bert",
            loader="petitions.encoders.bert_encoder:load_bert",
            question_loader="petitions.encoders.bert_encoder:load_questions",
            reader="petitions.scoring.next_sentence:read_petitions",
            has_engines=True,
            is_searched=True,
            has_keywords=True,
            scores={
                "next_sentence": ScoreEntry(
                    of_text="petitions.scoring.next_sentence:score_petitions", head="next sentence"
                ),
                "topic_similarity": _TOPIC_SIMILARITY,
            },
        ),
        "elmo": EncoderEntry(
            setting="elmo_model",
            name_weights="petitions.encoders.names:name_elmo",
            loader="petitions.encoders.elmo_encoder:load_elmo",
            has_engines=True,
            reads_morphemes=True,
            scores={"topic_similarity": _TOPIC_SIMILARITY},
        ),
    }
)
SEARCHED = next(name for name, entry in ENCODERS.items() if entry.is_searched)


def find_encoder(name: str) -> EncoderEntry:
    """The row of an encoder.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in ENCODERS:
        raise ConfigError(f"encoder must be one of {', '.join(ENCODERS)}, got {name!r}")
    return ENCODERS[name]
