"""A BERT ready for use: texts in, unit vectors out; token sequences in, the logits of the two heads out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tokenizers.pre_tokenizers import BertPreTokenizer

from petitions.encoders.bert_checkpoint import read_checkpoint
from petitions.encoders.bert_shapes import masked_lm_shapes, next_sentence_shapes
from petitions.encoders.engine import Floats, Network, Output
from petitions.encoders.engine_choice import load_engine
from petitions.encoders.model_files import ModelFiles, fetch_model
from petitions.encoders.names import hash_text, name_bert, name_encoder, require_finite, weight_files
from petitions.encoders.overlap import read_overlap
from petitions.encoders.piece_tokenizer import PieceTokenizer
from petitions.encoders.reading import Pooling, read_reading
from petitions.encoders.sequences import TokenSequence
from petitions.encoders.tensor_names import MASKED_WORDS, NEXT_SENTENCE
from petitions.encoders.tokenizer_files import require_korean, require_vocabulary
from petitions.encoders.windows import join_windows
from petitions.errors import WeightsError

BATCH_TOKENS = 4096
MOST_BYTES = (
    250_000_000  # of weights that embed questions in a server: without an export they are in memory thrice at first
)


class BertEncoder:
    """Holds a tokenizer and the engine that computes the network; `load_bert` makes one."""

    def __init__(
        self,
        files: ModelFiles,
        accelerator: str,
        prompts: str = "",
        embedder: "BertEncoder | None" = None,
        cpu_engine: str = "onnxruntime",
        pooling: Pooling | None = None,
    ) -> None:
        """Load; where there is an `embedder`, its weights give the vectors, and next sentence if they can.

        Vectors are pooled as the folder says, or by `pooling`.
        """
        reading = read_reading(files.folder, prompts)
        self.reading = reading if pooling is None else replace(reading, pooling=pooling)
        self.tokenizer = PieceTokenizer(files.folder)
        require_korean(self.tokenizer.backend_tokenizer, self.tokenizer.unk_token, files.folder)
        checkpoint = read_checkpoint(files.folder)
        require_vocabulary(len(self.tokenizer), checkpoint.size.vocab_size, files.folder)
        self.name: str = name_encoder(files, prompts)
        self.dimensions: int = checkpoint.size.hidden_size
        if embedder is not None:
            self.name, self.dimensions = f"{embedder.name}+{self.name}", embedder.dimensions
        self._embedder = embedder
        self.n_positions, self.vocab_size = checkpoint.size.n_positions, checkpoint.size.vocab_size
        self.overlap = read_overlap(checkpoint)
        size, weights = checkpoint.size, checkpoint.tensors.keys()
        self._missing_masked_lm = [name for name in masked_lm_shapes(size) if name not in weights]
        if self.tokenizer.mask_token is None:
            self._missing_masked_lm.append("mask_token")
        pair_head = next_sentence_shapes(size, is_segment_match=checkpoint.has_segment_match)
        self._missing_next_sentence = [name for name in pair_head if name not in weights]
        network = Network(
            checkpoint=checkpoint,
            key=hash_text(name_encoder(files), self.reading.pooling),
            pooling=self.reading.pooling,
            pad_id=self.tokenizer.pad_token_id,
        )
        self._engine = load_engine(network, accelerator, cpu_engine)

    @property
    def engine(self) -> str:
        """What computes the vectors, in plain words."""
        return self._engine.told if self._embedder is None else self._embedder.engine

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

    @property
    def vector_reader(self) -> "BertEncoder":
        """Whose tokenizer, positions and weights give the vectors."""
        return self._embedder or self

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
        return self._pool(self._split(texts, is_question), batch_tokens)

    def embed_joined(self, firsts: Sequence[Sequence[int]], seconds: Sequence[Sequence[int]]) -> Floats:
        """What `embed` gives for texts of two parts, of the pieces of these; only where `joins_pieces`."""
        wholes = [[*first, *second] for first, second in zip(firsts, seconds, strict=True)]
        return self._pool(self._cut(wholes, []), BATCH_TOKENS)

    @property
    def joins_pieces(self) -> bool:
        """Whether the pieces of a text are those of its lines, one after the other, in vectors and in pairs.

        BERT's own tokenizer splits at every space, and no piece goes across. Others may write a space into a piece.
        """
        splits_at_spaces = isinstance(self.tokenizer.backend_tokenizer.pre_tokenizer, BertPreTokenizer)
        return splits_at_spaces and not (self.reading.text_prompt or self.reading.is_lowered)

    def _pool(self, texts: Iterable[list[list[int]]], batch_tokens: int) -> Floats:
        """The vectors of N texts, float32 [N, D], from the pieces of the windows of each."""
        windows: list[TokenSequence] = []
        n_windows: list[int] = []
        for parts in texts:
            windows += [self.frame(part) for part in parts]
            n_windows.append(len(parts))
        vectors = self._compute("vectors", windows, batch_tokens)  # [W, D]
        owners = [owner for owner, n_parts in enumerate(n_windows) for _ in range(n_parts)]
        n_tokens = [len(window.token_ids) for window in windows]
        return join_windows(vectors, n_tokens, owners, len(n_windows), self.reading.pooling)

    def _split(self, texts: Sequence[str], is_question: bool) -> Iterator[list[list[int]]]:
        """The pieces of each window of each text, the prompt before each of them."""
        prompt = self.reading.question_prompt if is_question else self.reading.text_prompt
        if self.reading.is_lowered:
            texts = [text.lower() for text in texts]
        (prompt_pieces,) = self.encode_pieces([prompt.rstrip()])
        return self._cut(self.encode_pieces([prompt + text for text in texts]), prompt_pieces)

    def _cut(self, wholes: Sequence[list[int]], prompt: list[int]) -> Iterator[list[list[int]]]:
        """The windows of texts that are split already, and begin with the pieces of the prompt."""
        n_prompt = len(prompt)
        room = min(self.n_positions, self.reading.max_tokens or self.n_positions) - 2 - n_prompt
        if room < 1:
            raise WeightsError(f"{self.name}: the prompt has {n_prompt} pieces, which fills a window")
        for whole in wholes:
            pieces = whole[n_prompt:]
            starts = range(0, max(len(pieces), 1), room)
            # What a prompt and a text make of each other where they meet is kept in the first window.
            yield [(prompt if start else whole[:n_prompt]) + pieces[start : start + room] for start in starts]

    def predict_masked(self, sequences: Sequence[TokenSequence], *, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """Logits over the vocabulary of V pieces at the `position` of each sequence, float32 [N, V].

        Raises:
            WeightsError: the checkpoint has no masked-word head.
        """
        self._require(self._missing_masked_lm, "masked words (fill, keywords)")
        return self._compute("masked_logits", sequences, batch_tokens)

    def predict_next(self, sequences: Sequence[TokenSequence], *, batch_tokens: int = BATCH_TOKENS) -> Floats:
        """Logits of "the second text follows" and "it does not", float32 [N, 2].

        Raises:
            WeightsError: the checkpoint has no next-sentence head.
        """
        self._require(self._missing_next_sentence, "next_sentence")
        return self._compute("next_logits", sequences, batch_tokens)

    def _require(self, missing: Sequence[str], score: str) -> None:
        if missing:
            raise WeightsError(f"{self.name} cannot score {score}: the checkpoint lacks {', '.join(missing)}")

    def _compute(self, output: Output, sequences: Sequence[TokenSequence], batch_tokens: int) -> Floats:
        results = self._engine.compute(output, sequences, batch_tokens)
        require_finite(results, f"what {self.name} computes")
        return results


def load_bert(
    model: str,
    accelerator: str = "auto",
    embedding_model: str = "",
    *,
    prompts: str = "",
    cpu_engine: str = "onnxruntime",
) -> BertEncoder:
    """Load a BERT from a checkpoint folder or the model hub.

    Args:
        model: a folder, or a hub name such as "klue/bert-base" or "klue/bert-base@revision".
        accelerator: as `pick_strategy` takes it.
        embedding_model: as `model`, of a sentence encoder that gives the vectors, and next sentence where it has that
            head; empty: `model` gives them.
        prompts: of the model that gives the vectors, as `read_reading` takes them.
        cpu_engine: as `load_engine` takes it; by default the one that is exact and measures nothing.

    Raises:
        WeightsError: the model is missing, incomplete, damaged or no BERT, or its tokenizer knows no Korean.
        FetchError: the hub cannot be reached.
        ConfigError: the accelerator, or the package of the engine, is missing.
    """
    files = fetch_model(model)
    if not embedding_model or name_encoder(fetch_model(embedding_model)) == name_encoder(files):
        return BertEncoder(files, accelerator, prompts, cpu_engine=cpu_engine)
    embedder = BertEncoder(fetch_model(embedding_model), accelerator, prompts, cpu_engine=cpu_engine)
    return BertEncoder(files, accelerator, embedder=embedder, cpu_engine=cpu_engine)


def load_questions(model: str, embedding_model: str = "", *, prompts: str = "") -> BertEncoder:
    """Load what embeds questions in a server, alone: no other weights, no TensorFlow, nothing downloaded.

    Args:
        model: as `load_bert` takes it, like the others.
        embedding_model: of the vectors.
        prompts: of the model that gives the vectors.

    Returns:
        It has the name of what `load_bert` gives by the same settings.

    Raises:
        WeightsError: as `load_bert`, or the weights are larger than MOST_BYTES.
        FetchError: a hub model was not downloaded here.
        ConfigError: the package of the engine is missing.
    """
    files = fetch_model(embedding_model or model, is_local=True)
    n_bytes = sum(path.stat().st_size for path in weight_files(files.folder))
    if n_bytes > MOST_BYTES:
        raise WeightsError(
            f"{embedding_model or model} has {n_bytes:,} bytes of weights, a server takes {MOST_BYTES:,}"
        )
    encoder = BertEncoder(files, "cpu", prompts)
    encoder.name = name_bert(model, embedding_model, prompts=prompts, is_local=True)
    return encoder
