"""Heads over plain words, signs and an ELMo: what is written is what is judged, and marks tell them nothing."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from petitions.encoders.head import load_head
from petitions.encoders.head_files import HeadFiles, PartOrder, write_head
from petitions.encoders.probabilities import to_probabilities
from petitions.encoders.scorers import name_scorer
from petitions.encoders.signs import SIGNS, count_signs
from petitions.encoders.word_weights import hash_words
from petitions.errors import ConfigError, WeightsError
from petitions.training.finetune_head import HeadSettings, finetune_head
from petitions.training.labelled import split_by_time
from petitions.training.vector_cache import cache_vectors
from tiny_labels import DAYS, make_examples

PLAIN = HeadSettings(kinds=["words", "signs"], models={})
NOTICE = "[본 게시물의 일부 내용이 국민 청원 요건에 위배되어 관리자에 의해 수정되었습니다]"


def fit(examples, folder, task="mine", settings=PLAIN):
    return finetune_head(task, split_by_time(examples, DAYS), folder, str.split, settings)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The report and the folder of a head over 400 examples."""
    folder = tmp_path_factory.mktemp("fitted") / "head"
    return fit(make_examples(400), folder), folder


@pytest.mark.slow
def test_what_is_written_is_what_is_judged(fitted):
    examples, (report, folder) = make_examples(400), fitted
    assert report.test.accuracy > 0.95
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "config.json", "confusion.svg", "model.safetensors", "reliability.svg", "report.json",
    ]  # fmt: skip
    head = load_head(folder, morphemes=str.split)
    test = split_by_time(examples, DAYS).test
    probabilities = to_probabilities(head.classify([one.whole for one in test]))
    found = [report.labels[number] for number in probabilities.argmax(axis=1)]
    assert np.mean([one.label == label for one, label in zip(test, found, strict=True)]) == report.test.accuracy
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert head.name == name_scorer(str(folder))
    told = json.loads((folder / "report.json").read_text())
    assert told["test"]["accuracy"] == report.test.accuracy


@pytest.mark.slow
def test_the_same_seed_gives_the_same_folder(fitted, tmp_path):
    fit(make_examples(400), tmp_path / "head")
    assert name_scorer(str(tmp_path / "head")) == name_scorer(str(fitted[1]))


@pytest.mark.slow
def test_what_one_or_two_wrote_weighs_nothing_and_no_word_is_in_the_folder(tmp_path):
    numbered = enumerate(make_examples(400))
    examples = [replace(one, below_title=f"{one.below_title} 비밀{number}") for number, one in numbered]
    fit(examples, tmp_path / "head")
    weights = load_file(tmp_path / "head" / "model.safetensors")["words.idf"]
    buckets = [bucket for number in range(400) for bucket in hash_words([f"비밀{number}"], len(weights))]
    assert np.count_nonzero(weights[buckets]) <= 2, "but where it shares a bucket"
    written = b"".join(path.read_bytes() for path in (tmp_path / "head").glob("[cm]o*"))
    assert "정류장".encode() not in written


def edit(body, chance):
    """What a moderator does: masks in four places, some of which leave a particle or a bracket, and his notice."""
    words = body.split()
    for place in chance.sample(range(len(words) + 1), 4):
        words.insert(place, chance.choice(["**은", "김**", "(**)", "(**", "*** 씨는", "**시장의", "“**”"]))
    return f"{' '.join(words)}\n\n{NOTICE}"


def test_marks_alone_tell_nothing_of_moderation(tmp_path):
    """Who is moderated is by chance here: that every such text was edited must not tell."""
    chance = random.Random(0)
    examples = [
        replace(one, below_title=edit(one.below_title, chance), label="moderated")
        if chance.random() < 0.5
        else replace(one, label="untouched")
        for one in make_examples(600, seed=1)
    ]
    with pytest.raises(ConfigError, match="no part of words, signs tells the labels"):
        fit(examples, tmp_path / "head", "moderation")
    leaking = fit(examples, tmp_path / "leaking", "mine")  # the same, and nothing is cut
    assert leaking.test.auroc == 1.0


def test_an_edited_text_has_the_score_that_it_had_before(tmp_path):
    chance = random.Random(0)
    named = {"버스": "moderated", "급식": "moderated"}
    examples = [replace(one, label=named.get(one.label, "untouched")) for one in make_examples(400)]
    report = fit(examples, tmp_path / "head", "moderation")
    assert report.test.auroc is not None and report.test.auroc > 0.95
    head = load_head(tmp_path / "head", morphemes=str.split)
    for one in split_by_time(examples, DAYS).test[:20]:
        edited = replace(one, below_title=edit(one.below_title, chance))
        before, after = head.classify([one.whole, edited.whole])
        assert before == pytest.approx(after, abs=1e-5)


@pytest.mark.slow
def test_odd_texts_have_finite_logits(tmp_path):
    fit(make_examples(400), tmp_path / "head", "moderation")
    head = load_head(tmp_path / "head", morphemes=str.split)
    for text in ("", " ", "***", "ㅋ" * 10_000, "\U0001f600", "=1+1"):
        assert np.isfinite(head.classify([text])).all(), text[:9]
    assert head.classify([]).shape == (0, 4)


def test_signs_of_an_empty_text_are_zeros():
    assert count_signs([""]).tolist() == [[0.0] * len(SIGNS)]
    assert count_signs([]).shape == (0, len(SIGNS))


def test_one_label_and_unknown_parts_are_told(tmp_path):
    with pytest.raises(ConfigError, match="have the label '교통': there must be 2"):
        fit([replace(one, label="교통") for one in make_examples()], tmp_path / "head")
    assert not (tmp_path / "head").exists()
    with pytest.raises(ConfigError, match="parts must be some of words, signs, bert, elmo, each once, got 'words,lda'"):
        HeadSettings(kinds=["words", "lda"], models={})


def test_a_damaged_head_is_refused_by_name(tmp_path):
    signs = np.zeros((len(SIGNS), 2), np.float32)
    files = HeadFiles(
        labels=["a", "b"], parts=[PartOrder(kind="signs")], cuts_marks=False,
        tensors={"bias": np.zeros(2, np.float32), "signs.kernel": signs},
    )  # fmt: skip
    write_head(tmp_path, files)
    assert load_head(tmp_path).classify(["x"]).tolist() == [[0.0, 0.0]]
    write_head(tmp_path, replace(files, tensors={"bias": np.zeros(2, np.float32)}))
    with pytest.raises(WeightsError, match=r"lacks signs\.kernel"):
        load_head(tmp_path)
    write_head(tmp_path, replace(files, tensors=files.tensors | {"bias": np.zeros(3, np.float32)}))
    with pytest.raises(WeightsError, match=r"bias must be \[2\], got \[3\]"):
        load_head(tmp_path)
    write_head(tmp_path, replace(files, tensors=files.tensors | {"bias": np.full(2, np.nan, np.float32)}))
    with pytest.raises(WeightsError, match="not finite"):
        load_head(tmp_path)
    write_head(tmp_path, replace(files, parts=[PartOrder(kind="lda")]))
    with pytest.raises(WeightsError, match="a part must be one of words, signs, bert, elmo, got 'lda'"):
        load_head(tmp_path)


def test_vectors_are_computed_once_a_text_over_a_kill(tmp_path):
    asked = []

    def embed(texts):
        asked.append(list(texts))
        return np.array([[len(text), 1.0] for text in texts], np.float32)

    first = cache_vectors(embed, ["가", "나다", "가"], tmp_path, "elmo@1")
    assert asked == [["가", "나다"]]
    again = cache_vectors(embed, ["나다", "라마바"], tmp_path, "elmo@1")
    assert asked[1:] == [["라마바"]]
    assert (first.tolist(), again.tolist()) == ([[1, 1], [2, 1], [1, 1]], [[2, 1], [3, 1]])
    cache_vectors(embed, ["가"], tmp_path, "elmo@2")
    assert asked[2:] == [["가"]], "other weights, other vectors"
