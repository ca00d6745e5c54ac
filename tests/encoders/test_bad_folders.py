"""Real folders, broken one way each: what can be read rightly is, the rest is refused by file and lack."""

import json

import ml_dtypes
import numpy as np
import pytest
import tokenizers
from safetensors.numpy import load_file, save_file

from encoders.tiny_folders import TINY, copy_tiny, write_json, write_tiny_xlmr
from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.hub import load_tokenizer
from petitions.encoders.registry import ENCODERS
from petitions.encoders.tokenizer_files import TRIED, read_backend, require_korean
from petitions.errors import WeightsError
from petitions.settings import MODELS, Settings

pytestmark = pytest.mark.slow  # each loads networks

TEXTS = ("학교 버스를 국회 청원", "강아지를 보호하라", "[MASK] 병원")


@pytest.fixture
def folder(tmp_path):
    return copy_tiny(tmp_path)


def read_pieces():
    vocabulary = json.loads((TINY / "tokenizer.json").read_text())["model"]["vocab"]
    return sorted(vocabulary, key=vocabulary.get)


def write_vocabulary(folder, pieces):
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")


@pytest.mark.parametrize("kept", ["tokenizer.json", "vocab.txt"])
def test_a_tokenizer_without_its_config_is_read_rightly(folder, kept):
    whole = load_tokenizer(TINY)
    if kept == "vocab.txt":
        write_vocabulary(folder, read_pieces())
    (folder / "tokenizer_config.json").unlink()
    alone = load_tokenizer(folder)
    for text in TEXTS:
        assert alone.backend_tokenizer.encode(text, add_special_tokens=False).tokens == (
            whole.backend_tokenizer.encode(text, add_special_tokens=False).tokens
        )
    assert alone.special_tokens_map == whole.special_tokens_map
    require_korean(alone.backend_tokenizer, alone.unk_token, folder)


@pytest.mark.parametrize(
    ("pieces", "config", "lowered"),
    [
        (["apple"], {}, ["apple", "apple"]),
        (["apple", "Apple"], {}, ["apple", "Apple"]),
        (["apple", "Apple"], {"do_lower_case": True}, ["apple", "apple"]),
        (["apple"], {"do_lower_case": False}, ["apple", "[UNK]"]),
    ],
)
def test_a_vocabulary_with_capitals_keeps_them_unless_the_folder_says_otherwise(tmp_path, pieces, config, lowered):
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *pieces, "가"]))
    write_json(tmp_path / "tokenizer_config.json", config)
    assert read_backend(tmp_path).encode("apple Apple").tokens == ["[CLS]", *lowered, "[SEP]"]


def make_english(folder):
    write_vocabulary(folder, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{n}" for n in range(195))])


def make_jamo(folder):
    """As the uncased English BERT has it: Hangul in parts."""
    jamo = [chr(code) for code in (*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3))]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *jamo, *(f"##{sign}" for sign in jamo)]
    write_vocabulary(folder, pieces + [f"word{n}" for n in range(200 - len(pieces))])
    (folder / "tokenizer_config.json").unlink()


def edit_json(name, change):
    def edit(folder):
        path = folder / name
        write_json(path, change(json.loads(path.read_text())))

    return edit


def drop(key):
    return lambda content: {name: value for name, value in content.items() if name != key}


def write(name, content):
    return lambda folder: (folder / name).write_text(content)


def remove(name):
    return lambda folder: (folder / name).unlink()


def cut_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def index_weights(content):
    def edit(folder):
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text(content)

    return edit


def drop_piece(kind, piece):
    """Take a special token out of the tokenizer, and its name out of the folder."""

    def edit(folder):
        content = json.loads((folder / "tokenizer.json").read_text())
        content["added_tokens"] = [item for item in content["added_tokens"] if item["content"] != piece]
        content["model"]["vocab"] = {
            {piece: "gone"}.get(name, name): number for name, number in content["model"]["vocab"].items()
        }
        content["post_processor"] = None
        write_json(folder / "tokenizer.json", content)
        edit_json("tokenizer_config.json", drop(kind))(folder)

    return edit


BAD = {
    "no model_type": (edit_json("config.json", drop("model_type")), r"config\.json: model_type .*there is none"),
    "unknown model_type": (
        edit_json("config.json", lambda config: config | {"model_type": "t5"}),
        r"model_type must be one of bert, roberta, xlm-roberta, got 't5'",
    ),
    "no sizes": (edit_json("config.json", drop("hidden_size")), r"config\.json: hidden_size .*there is none"),
    "sizes as text": (
        edit_json("config.json", lambda config: config | {"vocab_size": "many"}),
        r"config\.json: vocab_size must be a whole number of 1 or more, got 'many'",
    ),
    "no positions": (
        edit_json("config.json", lambda config: config | {"max_position_embeddings": 3}),
        r"max_position_embeddings must be at least 8, got 3",
    ),
    "config cut": (write("config.json", '{"model_type": "be'), r"config\.json is no JSON"),
    "config a list": (write("config.json", "[]"), r"config\.json must hold a JSON object, got list"),
    "no config": (remove("config.json"), r"has no config\.json"),
    "tokenizer cut": (write("tokenizer.json", '{"version": "1.0", '), r"tokenizer\.json is damaged"),
    "tokenizer empty": (write("tokenizer.json", ""), r"tokenizer\.json is damaged"),
    "tokenizer of no kind": (write("tokenizer.json", '{"a": 1}'), r"tokenizer\.json is damaged"),
    "tokenizer config cut": (write("tokenizer_config.json", "{"), r"tokenizer_config\.json is no JSON"),
    "no tokenizer": (remove("tokenizer.json"), r"has neither tokenizer\.json nor vocab\.txt"),
    "no pad": (drop_piece("pad_token", "[PAD]"), "the tokenizer has no pad_token"),
    "no cls": (drop_piece("cls_token", "[CLS]"), "the tokenizer has no cls_token"),
    "no sep": (drop_piece("sep_token", "[SEP]"), "the tokenizer has no sep_token"),
    "a mark that is no piece": (
        edit_json("tokenizer_config.json", lambda config: config | {"pad_token": "<none>"}),
        "pad_token is '<none>', which is none of the tokenizer's pieces",
    ),
    "English": (make_english, r"100% of the pieces .* Korean sentences are \[UNK\], at most 50% may be"),
    "English by jamo": (make_jamo, r"needs 2\.\d pieces a letter of Korean, at most 1\.5 may be"),
    "vocabulary of another": (
        edit_json("config.json", lambda config: config | {"vocab_size": 300}),
        "195 pieces for 300 embeddings, it must have 90% to 100% of them",
    ),
    "weights cut in half": (cut_weights, r"model\.safetensors is damaged"),
    "weights empty": (write("model.safetensors", ""), r"model\.safetensors is damaged"),
    "index without weight_map": (index_weights("{}"), r"index\.json has no weight_map"),
    "index cut": (index_weights('{"weight_map": '), r"index\.json is no JSON"),
    "index of no files": (index_weights('{"weight_map": {"a": 1}}'), r"index\.json has no weight_map"),
    "weights as a folder": (
        lambda folder: (remove("model.safetensors")(folder), (folder / "model.safetensors").mkdir()),
        r"has no model\.safetensors",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_broken_folder_is_refused_by_file_and_lack(folder, kind):
    breaks, message = BAD[kind]
    breaks(folder)
    with pytest.raises(WeightsError, match=message) as caught:
        load_bert(str(folder), "cpu")
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("size", [0, 7, 8, 100, -4])
def test_weights_cut_anywhere_are_told_without_loading_them(folder, size):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:size])
    with pytest.raises(WeightsError, match=r"damaged"):
        ENCODERS["bert"].require_heads(Settings(bert_model=str(folder)))


def test_half_precisions_are_read_and_whole_numbers_refused(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({name: array.astype(ml_dtypes.bfloat16) for name, array in tensors.items()}, path)
    half = load_bert(str(folder), "cpu").embed(["학교 버스"])
    np.testing.assert_allclose(half, load_bert(str(TINY), "cpu").embed(["학교 버스"]), atol=0.05)
    save_file(tensors | {"bert.encoder.layer.1.output.dense.bias": np.zeros(32, np.int8)}, path)
    with pytest.raises(
        WeightsError, match=r"weight bert\.encoder\.layer\.1\.output\.dense\.bias of .* is int8, not float"
    ):
        load_bert(str(folder), "cpu")


def test_a_missing_head_is_told_from_the_headers_alone(tmp_path):
    headless = str(write_tiny_xlmr(tmp_path))
    settings = Settings(bert_model=headless, embedding_model=headless)
    with pytest.raises(WeightsError, match=r"no head for next sentence, which next_sentence needs: .*seq_relationship"):
        ENCODERS["bert"].require_heads(settings)
    ENCODERS["bert"].require_heads(Settings())
    beside = Settings(
        bert_model=settings.bert_model, embedding_model=str(TINY)
    )  # the head of the vectors' weights is asked
    ENCODERS["bert"].require_heads(beside)
    tensors = load_file(tmp_path / "model.safetensors")
    match = {"cls.segment_match.weight": np.zeros(64, np.float32), "cls.segment_match.scale": np.zeros(2, np.float32)}
    save_file(tensors | match, tmp_path / "model.safetensors")
    ENCODERS["bert"].require_heads(settings)
    ENCODERS["elmo"].require_heads(Settings(elmo_model="/nowhere"))


def test_a_tokenizer_without_a_mask_embeds_and_fills_none(folder):
    drop_piece("mask_token", "[MASK]")(folder)
    bert = load_bert(str(folder), "cpu")
    assert bert.heads == ["next sentence"]
    assert np.isfinite(bert.embed(["학교"])).all()
    with pytest.raises(WeightsError, match="masked words.*lacks mask_token"):
        bert.predict_masked([bert.frame([5])])


def test_the_tokenizer_that_ships_knows_korean():
    folder = MODELS / "sentence-small"
    backend = load_tokenizer(folder).backend_tokenizer
    require_korean(backend, "[UNK]", folder)
    assert not any("[UNK]" in encoding.tokens for encoding in backend.encode_batch(list(TRIED)))


def test_a_tokenizer_that_makes_nothing_of_korean_is_refused(tmp_path):
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    backend.normalizer = tokenizers.normalizers.Replace(tokenizers.Regex("."), "")
    with pytest.raises(WeightsError, match="Korean"):
        require_korean(backend, "[UNK]", tmp_path)
