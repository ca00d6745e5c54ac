"""A BERT ready for use: texts in, unit vectors out; token sequences in, the logits of the two heads out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from petitions.encoders.batching import PlannedBatch, plan_batches
from petitions.encoders.bert import build_bert
from petitions.encoders.bert_checkpoint import (
    name_backbone,
    name_masked_lm,
    name_next_sentence,
    read_checkpoint,
)
from petitions.encoders.device import pick_strategy
from petitions.encoders.hub import ModelFiles, fetch_model, load_tokenizer
from petitions.encoders.names import name_encoder, require_finite
from petitions.encoders.pooling import join_windows, pool
from petitions.encoders.reading import read_reading
from petitions.encoders.tensor_names import MASKED_WORDS, NEXT_SENTENCE
from petitions.encoders.tokenizer_files import require_korean, require_vocabulary
from petitions.errors import WeightsError

BATCH_TOKENS = 4096

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSequence:
    """What the network reads at once, special tokens included."""

    token_ids: Sequence[int]
    n_first: int  # tokens of the first text; those after them belong to the second
    position: int = 0  # the token that the masked-word head looks at


class BertEncoder:
    """Holds a network, its tokenizer and the strategy that both run under; `load_bert` makes one."""

    def __init__(
        self, files: ModelFiles, accelerator: str, prompts: str = "", embedder: "BertEncoder | None" = None
    ) -> None:
        """Load; where there is an `embedder`, its weights give the vectors, and next sentence if they can."""
        self.reading = read_reading(files.folder, prompts)
        self.tokenizer = load_tokenizer(files.folder)
        require_korean(self.tokenizer.backend_tokenizer, self.tokenizer.unk_token, files.folder)
        checkpoint = read_checkpoint(files.folder)
        require_vocabulary(len(self.tokenizer), checkpoint.size.vocab_size, files.folder)
        self.name: str = name_encoder(files, prompts)
        self.dimensions: int = checkpoint.size.hidden_size
        if embedder is not None:
            self.name, self.dimensions = f"{embedder.name}+{self.name}", embedder.dimensions
        self._embedder = embedder
        self.n_positions = checkpoint.size.n_positions
        self._strategy = pick_strategy(accelerator)
        with self._strategy.scope():
            self._bert, self._masked_lm, self._next_sentence = build_bert(checkpoint.size, checkpoint.pair_head)
        checkpoint.fill(name_backbone(self._bert))
        self._missing_masked_lm = checkpoint.fill_if_complete(name_masked_lm(self._masked_lm))
        if self.tokenizer.mask_token is None:
            self._missing_masked_lm.append("mask_token")
        self._missing_next_sentence = checkpoint.fill_if_complete(name_next_sentence(self._next_sentence))
        self._compiled_pool = self._compile(self._pool)
        self._compiled_masked_lm = self._compile(self._predict_masked)
        self._compiled_next_sentence = self._compile(self._predict_next)

    @property
    def heads(self) -> list[str]:
        """What can be asked, of "masked words" and "next sentence"."""
        missing = {
            MASKED_WORDS: self._missing_masked_lm,
            NEXT_SENTENCE: self.pair_reader._missing_next_sentence,
        }
        return [name for name, weights in missing.items() if not weights]

    @property
    def pair_reader(self) -> "BertEncoder":
        """Whose tokenizer, positions and head answer next sentence: those of the vectors where they have the head.

        So the first weights in `name` that have one give the score: a name tells which.
        """
        embedder = self._embedder
        return self if embedder is None or embedder._missing_next_sentence else embedder

    def encode_pieces(self, texts: Iterable[str], *, has_marks: bool = False) -> list[list[int]]:
        """Split texts into piece ids, without special tokens around them and without a limit.

        A "[SEP]" that somebody wrote is letters and ends no text, unless the caller says that marks are meant.
        """
        backend = self.tokenizer.backend_tokenizer
        backend.encode_special_tokens = not has_marks
        return [encoding.ids for encoding in backend.encode_batch(list(texts), add_special_tokens=False)]

    def frame(self, first: Sequence[int], second: Sequence[int] | None = None, position: int = 0) -> TokenSequence:
        """Put the special tokens around one text or two: [CLS] first [SEP], and second [SEP]."""
        token_ids = [self.tokenizer.cls_token_id, *first, self.tokenizer.sep_token_id]
        n_first = len(token_ids)
        if second is not None:
            token_ids += [*second, self.tokenizer.sep_token_id]
        return TokenSequence(token_ids=token_ids, n_first=n_first, position=position)

    def embed(self, texts: Sequence[str], *, is_question: bool = False, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """Embed texts by the mean of their tokens' last hidden states, special tokens among them.

        Where the model's folder says so, it is by their maximum or by the first of them, and with a prompt before.

        A text with more tokens than a window holds is read in windows, each with its own prompt and special tokens, and
        all of them count by their tokens: nothing is cut off.

        Args:
            texts: N texts; an empty one has its prompt and special tokens alone.
            is_question: whether they are asked, and not what is found: a model may have another prompt for each.
            batch_tokens: tokens computed at once, about; it costs memory and changes no result.

        Returns:
            float32 [N, D], each row of unit length, in the order of `texts`.
        """
        if self._embedder is not None:
            return self._embedder.embed(texts, is_question=is_question, batch_tokens=batch_tokens)
        windows: list[TokenSequence] = []
        owners: list[int] = []
        for owner, parts in enumerate(self._split(texts, is_question)):
            windows += [self.frame(part) for part in parts]
            owners += [owner] * len(parts)
        vectors = self._compute(self._compiled_pool, windows, self.dimensions, batch_tokens)  # [W, D]
        n_tokens = [len(window.token_ids) for window in windows]
        return join_windows(vectors, n_tokens, owners, len(texts), self.reading.pooling)

    def _split(self, texts: Sequence[str], is_question: bool) -> Iterator[list[list[int]]]:
        """The pieces of each window of each text, the prompt before each of them."""
        prompt = self.reading.question_prompt if is_question else self.reading.text_prompt
        if self.reading.is_lowered:
            texts = [text.lower() for text in texts]
        (prompt_pieces,) = self.encode_pieces([prompt.rstrip()])
        n_prompt = len(prompt_pieces)
        room = min(self.n_positions, self.reading.max_tokens or self.n_positions) - 2 - n_prompt
        if room < 1:
            raise WeightsError(f"{self.name}: the prompt {prompt!r} has {n_prompt} pieces, which fills a window")
        for whole in self.encode_pieces([prompt + text for text in texts]):
            pieces = whole[n_prompt:]
            starts = range(0, max(len(pieces), 1), room)
            # What a prompt and a text make of each other where they meet is kept in the first window.
            yield [(prompt_pieces if start else whole[:n_prompt]) + pieces[start : start + room] for start in starts]

    def predict_masked(self, sequences: Sequence[TokenSequence], *, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """Logits over the vocabulary of V pieces at the `position` of each sequence, float32 [N, V].

        Raises:
            WeightsError: the checkpoint has no masked-word head.
        """
        self._require(self._missing_masked_lm, "masked words (fill, keywords)")
        return self._compute(self._compiled_masked_lm, sequences, self._bert.size.vocab_size, batch_tokens)

    def predict_next(self, sequences: Sequence[TokenSequence], *, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """Logits of "the second text follows" and "it does not", float32 [N, 2].

        Raises:
            WeightsError: the checkpoint has no next-sentence head.
        """
        self._require(self._missing_next_sentence, "next_sentence")
        return self._compute(self._compiled_next_sentence, sequences, 2, batch_tokens)

    def _require(self, missing: Sequence[str], score: str) -> None:
        if missing:
            raise WeightsError(f"{self.name} cannot score {score}: the checkpoint lacks {', '.join(missing)}")

    def _compile(self, function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
        """Make one program a shape; several replicas go without jit: a TPU compiles by itself, mirrors trip over it."""
        compiled = tf.function(function, jit_compile=self._strategy.num_replicas_in_sync == 1)
        return tf.function(lambda *inputs: self._strategy.run(compiled, args=inputs))

    def _compute(
        self, function: Callable[..., tf.Tensor], sequences: Sequence[TokenSequence], width: int, batch_tokens: int
    ) -> Floats:
        """Run a compiled function over sequences in batches; float32 [N, width] in the order of `sequences`."""
        results = np.zeros((len(sequences), width), np.float32)
        lengths = [len(sequence.token_ids) for sequence in sequences]
        n_replicas = self._strategy.num_replicas_in_sync
        for batch in plan_batches(lengths, self.n_positions, batch_tokens, n_replicas):
            inputs = self._to_arrays([sequences[index] for index in batch.indices], batch)
            split = [np.split(array, n_replicas) for array in inputs]
            values = [self._distribute(parts) for parts in split]
            outputs = self._strategy.gather(function(*values), axis=0).numpy()  # [rows, width]
            require_finite(outputs[: len(batch.indices)], f"what {self.name} computes")
            results[batch.indices] = outputs[: len(batch.indices)]
        return results

    def _distribute(self, parts: Sequence[npt.NDArray[np.int32]]) -> tf.Tensor:
        """One part a replica."""
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    def _to_arrays(self, sequences: Sequence[TokenSequence], batch: PlannedBatch) -> tuple[npt.NDArray[np.int32], ...]:
        token_ids = np.full((batch.n_rows, batch.length), self.tokenizer.pad_token_id, np.int32)  # [B, T]
        segment_ids = np.zeros_like(token_ids)  # [B, T]
        mask = np.zeros_like(token_ids)  # [B, T]
        positions = np.zeros(batch.n_rows, np.int32)  # [B]
        for row, sequence in enumerate(sequences):
            n_tokens = len(sequence.token_ids)
            token_ids[row, :n_tokens] = sequence.token_ids
            if self._bert.size.type_vocab_size > 1:  # RoBERTa has but one
                segment_ids[row, sequence.n_first : n_tokens] = 1
            mask[row, :n_tokens] = 1
            positions[row] = sequence.position
        return token_ids, segment_ids, mask, positions

    # The three computations take the same inputs, so that one loop serves them all.
    def _pool(self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        return pool(self._bert(token_ids, segment_ids, mask), mask, self.reading.pooling)  # [B, D]

    def _predict_masked(
        self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, positions: tf.Tensor
    ) -> tf.Tensor:
        hidden = self._bert(token_ids, segment_ids, mask)  # [B, T, D]
        states = tf.gather(hidden, positions, batch_dims=1)  # [B, D]
        return self._masked_lm(states, tf.convert_to_tensor(self._bert.word_embeddings.embeddings))  # [B, V]

    def _predict_next(
        self, token_ids: tf.Tensor, segment_ids: tf.Tensor, mask: tf.Tensor, positions: tf.Tensor
    ) -> tf.Tensor:
        return self._next_sentence(self._bert(token_ids, segment_ids, mask), segment_ids, mask)  # [B, 2]


def load_bert(model: str, accelerator: str = "auto", embedding_model: str = "", *, prompts: str = "") -> BertEncoder:
    """Load a BERT from a checkpoint folder or the model hub.

    Args:
        model: a folder, or a hub name such as "klue/bert-base" or "klue/bert-base@revision".
        accelerator: as `pick_strategy` takes it.
        embedding_model: as `model`, of a sentence encoder that gives the vectors, and next sentence where it has that
            head; empty: `model` gives them.
        prompts: of the model that gives the vectors, as `read_reading` takes them.

    Raises:
        WeightsError: the model is missing, incomplete, damaged or no BERT, or its tokenizer knows no Korean.
        FetchError: the hub cannot be reached.
        ConfigError: the accelerator is missing.
    """
    files = fetch_model(model)
    if not embedding_model or name_encoder(fetch_model(embedding_model)) == name_encoder(files):
        return BertEncoder(files, accelerator, prompts)
    embedder = BertEncoder(fetch_model(embedding_model), accelerator, prompts)
    return BertEncoder(files, accelerator, embedder=embedder)
