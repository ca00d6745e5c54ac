"""A WordPiece vocabulary for Korean: documents in, a tokenizer that transformers can read out."""

from collections.abc import Iterable

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from petitions.encoders.hub import PreTrainedTokenizerFast

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

# 1,500 cover 99.97 % of the characters of 5,053 petitions, the rest those of other text; each costs two pieces
ALPHABET_SIZE = 1800


def train_wordpiece(documents: Iterable[str], vocab_size: int, n_positions: int) -> PreTrainedTokenizerFast:
    """Learn pieces from text, and take BERT's frame of special tokens.

    Accents are kept and nothing is lower-cased: stripping accents would take Hangul syllables apart.

    Args:
        documents: text in NFC.
        vocab_size: pieces at most, special tokens included.
        n_positions: tokens that the model can take, special tokens included.

    Returns:
        A tokenizer whose ids 0 to 4 are the special tokens in the order of SPECIAL_TOKENS.
    """
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106
    bert_rules = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), bert_rules])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        limit_alphabet=min(ALPHABET_SIZE, vocab_size // 4),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    ids = {token: index for index, token in enumerate(SPECIAL_TOKENS)}  # the trainer numbers them first
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=n_positions,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **dict(zip(names, SPECIAL_TOKENS, strict=True)),
    )
