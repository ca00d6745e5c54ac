"""Folders of tiny models, written anew by each test that breaks them; the golden values are of the same ones.

Golden values were made by running this module where PyTorch is (docs/decisions/own-bert.md):

    python tests/encoders/tiny_folders.py
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import tokenizers
from safetensors.numpy import save_file

GOLDEN = Path(__file__).parent / "golden"
TINY = GOLDEN / "tiny-bert"
SENTENCES = GOLDEN / "tiny_sentences.json"
PROMPTS = {"query": "학교: ", "passage": "청원: "}
TEXTS = ("학교 앞 도로에 신호등을", "강아지를 버리는 사람", "가", "", "버스가 다니는 마을에 노인은")
XLMR_SIZE = {
    "vocab_size": 120, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 26, "type_vocab_size": 1, "layer_norm_eps": 1e-05,
}  # fmt: skip
SYLLABLES = (
    "가강고과교국군기길노는다도동들라로리마많멀면무민"
    "바버법병복부사상생서세소수스시아안앞애어에여운원위은을의이인일자장전정제조주지차처초청터하학한해호"
)


def write_json(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False))


def write_sentence_files(folder, *, prompts=None, max_seq_length=None, **pooling):
    """The files that sentence-transformers puts beside the weights."""
    kinds = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [
        {"idx": idx, "name": str(idx), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for idx, (kind, path) in enumerate(kinds.items())
    ]
    write_json(folder / "modules.json", modules)
    write_json(folder / "1_Pooling/config.json", {"word_embedding_dimension": 32} | pooling)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_seq_length, "do_lower_case": False})
    write_json(folder / "config_sentence_transformers.json", {"prompts": prompts or {}, "default_prompt_name": None})
    return folder


def copy_tiny(folder):
    for path in TINY.iterdir():
        shutil.copy(path, folder / path.name)
    return folder


def write_tiny_xlmr(folder):
    """A random XLM-R, as XLMRobertaForMaskedLM saves it: positions from 2, one segment, a SentencePiece tokenizer."""
    chance = np.random.default_rng(7)
    size, wide = XLMR_SIZE["hidden_size"], XLMR_SIZE["intermediate_size"]
    shapes = {
        "roberta.embeddings.word_embeddings.weight": (XLMR_SIZE["vocab_size"], size),
        "roberta.embeddings.position_embeddings.weight": (XLMR_SIZE["max_position_embeddings"], size),
        "roberta.embeddings.token_type_embeddings.weight": (1, size),
        "lm_head.bias": (XLMR_SIZE["vocab_size"],),
    }
    layers = {"lm_head.dense": (size, size)}
    norms = ["roberta.embeddings.LayerNorm", "lm_head.layer_norm"]
    for number in range(XLMR_SIZE["num_hidden_layers"]):
        prefix = f"roberta.encoder.layer.{number}"
        layers |= {f"{prefix}.attention.self.{name}": (size, size) for name in ("query", "key", "value")}
        layers |= {f"{prefix}.attention.output.dense": (size, size)}
        layers |= {f"{prefix}.intermediate.dense": (wide, size), f"{prefix}.output.dense": (size, wide)}
        norms += [f"{prefix}.attention.output.LayerNorm", f"{prefix}.output.LayerNorm"]
    for name, shape in layers.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    tensors = {name: chance.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    for name in norms:
        tensors[f"{name}.weight"] = chance.normal(1, 0.1, size).astype(np.float32)
        tensors[f"{name}.bias"] = chance.normal(0, 0.1, size).astype(np.float32)
    save_file(tensors, folder / "model.safetensors")
    config = {"model_type": "xlm-roberta", "architectures": ["XLMRobertaForMaskedLM"], "hidden_act": "gelu"}
    marks = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    write_json(folder / "config.json", config | marks | XLMR_SIZE)
    _write_sentencepiece(folder)
    return folder


def _write_sentencepiece(folder):
    marks = ["<s>", "<pad>", "</s>", "<unk>"]
    words = ["▁", "▁학교", "▁청원", "▁도로", "▁버스", "를", ":", ".", "많은"]
    pieces = [*marks, *words, *SYLLABLES]
    pieces += [f"▁{sign}" for sign in SYLLABLES[: XLMR_SIZE["vocab_size"] - len(pieces) - 1]]
    scored = [(piece, 0.0 if piece in marks else -float(number)) for number, piece in enumerate(pieces)]
    backend = tokenizers.Tokenizer(tokenizers.models.Unigram(scored, unk_id=3, byte_fallback=False))
    backend.normalizer = tokenizers.normalizers.NFKC()
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    backend.add_special_tokens([*marks, "<mask>"])
    backend.save(str(folder / "tokenizer.json"))
    names = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
    }
    names |= {"cls_token": "<s>", "sep_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast"}
    write_json(folder / "tokenizer_config.json", names | {"model_max_length": 24})


def _embed_by_sentence_transformers(folder):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    named = {"questions": "query", "texts": "passage"}
    return {kind: _round(model.encode(list(TEXTS), prompt_name=name)) for kind, name in named.items()}


def _round(rows):
    return np.asarray(rows, np.float64).round(6).tolist()


def _make_golden():
    import sentence_transformers
    import torch
    import transformers

    versions = f"PyTorch {torch.__version__}, transformers {transformers.__version__}, sentence-transformers "
    found = {"made_by": versions + sentence_transformers.__version__, "texts": TEXTS}
    for mode in ("mean_tokens", "cls_token", "max_tokens"):
        with tempfile.TemporaryDirectory() as name:
            folder = write_sentence_files(copy_tiny(Path(name)), prompts=PROMPTS, **{f"pooling_mode_{mode}": True})
            found[f"bert {mode}"] = _embed_by_sentence_transformers(folder)
    with tempfile.TemporaryDirectory() as name:
        folder = write_sentence_files(write_tiny_xlmr(Path(name)), prompts=PROMPTS, pooling_mode_mean_tokens=True)
        found["xlmr"] = _embed_by_sentence_transformers(folder)
        model = transformers.AutoModelForMaskedLM.from_pretrained(folder)
        with torch.no_grad():
            found["xlmr masked"] = _round(model(torch.tensor([[0, 9, 119, 20, 2]])).logits[0, 2])
    SENTENCES.write_text(json.dumps(found, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(_make_golden())
