"""Training on an invented corpus of a few hundred documents that follow three patterns."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from petitions.encoders.characters import PADDING
from petitions.encoders.elmo import CharacterCnn
from petitions.encoders.elmo_encoder import load_elmo
from petitions.encoders.elmo_options import ElmoOptions
from petitions.errors import ConfigError
from petitions.training.elmo_corpus import keep_corpus, number_corpus
from petitions.training.elmo_language_model import LanguageModel, sample_words
from petitions.training.elmo_settings import ElmoTrainingSettings
from petitions.training.elmo_warm_start import encode_tokens, fit_characters, keep_word_vectors, learn_word_vectors
from petitions.training.elmo_windows import EOS_WORD, UNKNOWN, WindowSampler, read_stream
from petitions.training.pretrain_elmo import Trainer, pretrain_elmo
from petitions.training.stage_state import Progress

PATTERNS = (
    "학교 급식 을 개선 해 주 세요 .",
    "버스 노선 을 늘려 주 세요 .",
    "공원 에 나무 를 심어 주 시 기 바랍니다 .",
)
DOCUMENTS = [[pattern.split()] for pattern in PATTERNS] * 200
TINY = ElmoOptions(character_dim=4, filters=((1, 8), (3, 16)), projection_dim=16, lstm_dim=32)
SETTINGS = ElmoTrainingSettings(
    options=TINY,
    n_steps=80,
    n_character_steps=60,
    batch_size=8,
    window=8,
    n_sampled=16,
    min_count=1,
    min_count_of_vectors=1,
    log_steps=10,
    checkpoint_s=0.0,
    accelerator="cpu",
)

QUICK = replace(SETTINGS, learning_rate=3e-2)  # falls within 80 steps


def read_small_stream(documents, vocabulary=100, min_count=1):
    return read_stream(number_corpus(documents), vocabulary=vocabulary, min_count=min_count, max_characters=50)


def test_one_document_in_fifty_is_held_out_and_each_sentence_stands_between_its_marks():
    stream = read_small_stream(DOCUMENTS)

    assert (stream.held_out == 0).sum() == len(DOCUMENTS) // 50
    assert (stream.training == 0).sum() == (stream.training == 1).sum() == len(DOCUMENTS) - len(DOCUMENTS) // 50
    assert stream.training[0] == 0
    assert stream.training[-1] == 1


def test_the_sentences_of_a_document_are_held_out_together():
    corpus = number_corpus([[["가"], [], ["나"]]] * 60)

    assert corpus.held_out.tolist() == [0, 2, 1, 0, 3, 1] * 2


def test_text_for_the_word_vectors_alone_is_in_no_split():
    corpus = number_corpus([[["가"]]] * 2, [[["다"]]])

    assert corpus.only_words.tolist() == [0, 3, 1]
    assert corpus.tokens == ("가", "다")


def test_rare_tokens_are_read_but_predicted_as_the_unknown_word():
    stream = read_small_stream([*DOCUMENTS, [["드문", "세요"]]], min_count=2)

    assert "드문" not in stream.words
    assert "세요" in stream.words
    assert stream.word_of_token[-1] == UNKNOWN
    assert stream.spelled[-1, 0] != PADDING


def test_the_vocabulary_holds_the_most_frequent_words():
    stream = read_small_stream(DOCUMENTS, vocabulary=6)

    assert stream.words[:3] == ("<UNK>", "<S>", "</S>")
    assert set(stream.words[3:]) == {".", "주", "을"}


def test_targets_are_what_each_direction_reads_next():
    stream = read_small_stream(DOCUMENTS)
    sampler = WindowSampler(stream, batch_size=2, window=8)

    batch = sampler.sample_training(0, 0)

    np.testing.assert_array_equal(stream.word_of_token[batch.tokens[:, :, 1:]], batch.targets[:, :, :-1])
    assert EOS_WORD in batch.targets[0]
    assert not batch.is_kept.any()


def test_a_row_goes_on_where_it_ended_forward_from_the_begin_and_backward_from_the_end():
    stream = read_small_stream([[[str(number)]] for number in range(400)], vocabulary=500)
    sampler = WindowSampler(stream, batch_size=4, window=8)

    first, second = (sampler.sample_training(0, step) for step in (0, 1))

    np.testing.assert_array_equal(first.targets[:, :, -1], stream.word_of_token[second.tokens[:, :, 0]])
    assert second.is_kept.all()
    n_row = len(stream.training) // 4
    rows = stream.training[: 4 * n_row].reshape(4, n_row)
    offset = int(np.random.default_rng([0, 0]).integers(8))
    np.testing.assert_array_equal(first.tokens[1], rows[:, ::-1][:, offset : offset + 8])


def test_a_share_of_the_windows_begins_anew():
    sampler = WindowSampler(read_small_stream(DOCUMENTS), batch_size=32, window=2, reset_share=0.25)

    kept = np.mean([sampler.sample_training(0, step).is_kept.mean() for step in range(1, 30)])

    assert 0.7 < kept < 0.8


def test_sampled_words_are_distinct_and_mostly_frequent():
    words, n_tries = sample_words(np.random.default_rng(0), 50, 1000)

    assert len(set(words.tolist())) == len(words) == 50
    assert n_tries > 50
    assert np.median(words) < 100


def test_text_is_tokenized_once(tmp_path):
    path, work = tmp_path / "text.txt", tmp_path / "work"
    path.write_text("학교 급식을 개선해 주세요\n버스 노선을 늘려 주세요\n", "utf-8")

    first = keep_corpus([path], [], work, split=str.split, name="blanks")
    written = (work / "corpus.npz").stat().st_mtime_ns
    second = keep_corpus([path], [], work, split=str.split, name="blanks")

    assert (work / "corpus.npz").stat().st_mtime_ns == written
    assert second.tokens == first.tokens
    np.testing.assert_array_equal(second.training, first.training)
    path.write_text("다른 글\n또 다른 글\n", "utf-8")
    assert keep_corpus([path], [], work, split=str.split, name="blanks").tokens != first.tokens


def test_too_little_text_is_refused_with_its_size(tmp_path):
    corpus = number_corpus([[PATTERNS[0].split()[:7]], [PATTERNS[1].split()], [PATTERNS[1].split()[:5]]])

    with pytest.raises(ConfigError, match="8 rows of windows of 8 tokens: 16 tokens to train on, 9 held out"):
        pretrain_elmo(corpus, tmp_path, tmp_path, SETTINGS)


def test_text_that_never_repeats_itself_is_refused():
    with pytest.raises(ConfigError, match="no token of the corpus occurs 3 times"):
        read_small_stream([[[str(number)]] for number in range(100)], min_count=3)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="minutes must be over 0, got 0"):
        ElmoTrainingSettings(minutes=0)


@pytest.mark.slow
def test_the_warm_start_teaches_the_characters_to_spell_word_vectors(tmp_path):
    stream = read_small_stream(DOCUMENTS)
    characters = CharacterCnn(TINY)
    tokens, vectors = learn_word_vectors(stream, TINY.projection_dim, min_count=1, seed=0, epochs=4)

    progress = fit_characters(characters, stream, tokens, vectors, 800, tmp_path)

    assert progress.curve[-1]["left"] < 0.5  # of a mean square of 1
    spelled = encode_tokens(characters, stream)
    assert spelled.shape == (len(stream.spelled), TINY.projection_dim)
    nearest = ((spelled[tokens, np.newaxis] - vectors) ** 2).sum(axis=-1).argmin(axis=1)
    assert np.mean(nearest == np.arange(len(tokens))) > 0.7


@pytest.mark.slow
def test_a_short_training_learns_the_patterns_and_leaves_a_model_that_loads(tmp_path):
    settings = replace(SETTINGS, n_steps=300, learning_rate=1e-2, n_character_steps=300)

    progress = pretrain_elmo(number_corpus(DOCUMENTS), tmp_path / "work", tmp_path / "elmo-tiny", settings)

    last = progress.curve[-1]
    assert last["perplexity_forward"] < 5
    assert last["perplexity_backward"] < 5
    assert last["accuracy_forward"] > 0.5
    assert f"forward {last['perplexity_forward']:.1f}" in (tmp_path / "elmo-tiny/README.md").read_text("utf-8")
    assert load_elmo(str(tmp_path / "elmo-tiny"), "cpu").embed([["학교", "급식"]]).shape == (1, 32)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The progress of an undisturbed run in each precision, its trainer, and a work folder with the word vectors."""
    first = tmp_path_factory.mktemp("words")
    stream = read_small_stream(DOCUMENTS, SETTINGS.vocabulary)
    keep_word_vectors(first, stream, TINY.projection_dim, 1, SETTINGS.seed, SETTINGS.n_word_epochs)
    trainers = {}
    for precision in ("float32", "bfloat16"):
        work = shutil.copytree(first, tmp_path_factory.mktemp(precision) / "work")
        trainers[precision] = Trainer(replace(QUICK, precision=precision), stream, work)
        trainers[precision].run()
    return first, trainers


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_training_that_was_killed_goes_on_with_the_same_curve(tmp_path, monkeypatch, straight, precision):
    corpus, work = number_corpus(DOCUMENTS), shutil.copytree(straight[0], tmp_path / "work")
    settings = replace(QUICK, precision=precision)
    learn = Trainer.learn

    def learn_until_killed(self, step, rate):
        if step == 45:
            raise KeyboardInterrupt  # after the checkpoint of step 40
        return learn(self, step, rate)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "learn", learn_until_killed)
        pretrain_elmo(corpus, work, tmp_path / "out", settings)
    other = "float32" if precision == "bfloat16" else "bfloat16"
    with pytest.raises(ConfigError, match=f"work began in {precision}, it cannot go on in {other}"):
        pretrain_elmo(corpus, work, tmp_path / "out", replace(QUICK, precision=other))
    # On any device: what this one would choose by itself is not asked.
    monkeypatch.setattr("petitions.training.pretrain_elmo.multiplies_bfloat16", lambda strategy: other == "bfloat16")
    resumed = pretrain_elmo(corpus, work, tmp_path / "out", QUICK)

    assert [row["step"] for row in resumed.curve] == list(range(10, 90, 10))
    assert resumed.curve == straight[1][precision].progress.curve
    assert resumed.precision == precision


@pytest.mark.slow
def test_in_bfloat16_the_loss_falls_alike_and_all_that_is_kept_is_float32(straight):
    exact, fast = (straight[1][precision] for precision in ("float32", "bfloat16"))
    losses = np.array([[row["loss"] for row in trainer.progress.curve] for trainer in (exact, fast)])

    assert losses[0, -1] < 0.8 * losses[0, 0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)
    assert (losses[0] != losses[1]).any()
    weights, moments = fast._kept()
    assert {variable.dtype for variable in weights} == {"float32"}
    assert {tf.as_dtype(variable.dtype) for variable in moments} - {tf.int64, tf.int32} == {tf.float32}
    assert fast.evaluate()["perplexity_forward"] == pytest.approx(exact.evaluate()["perplexity_forward"], rel=0.02)


def test_a_state_from_before_there_was_a_choice_goes_on_in_float32():
    told = {"stage": "language model", "step": 3, "n_updates": 3, "n_tokens": 9, "seconds": 1.0, "curve": []}
    assert Progress(**told).precision is None


def test_the_sampled_loss_is_that_of_tensorflow():
    model = LanguageModel(TINY, np.arange(200, 0, -1), n_sampled=50, dropout=0.0)
    random = np.random.default_rng(0)
    top = tf.constant(random.normal(size=(30, 16)), tf.float32)
    targets = random.integers(0, 200, 30)
    words, n_tries = sample_words(random, 50, 200)
    expected = [model._expect(tf.constant(drawn, tf.float32), n_tries) for drawn in (targets[:, np.newaxis], words)]

    found = model.sampled_loss([top], tf.constant(targets[np.newaxis], tf.int32), tf.constant(words), n_tries)

    kernel, bias = model.kernel.value, model.bias.value
    known = tf.nn.sampled_softmax_loss(
        kernel, bias, targets[:, np.newaxis], top, 50, 200, sampled_values=(words, *expected)
    )
    assert set(targets) & set(words.tolist())
    assert float(found) == pytest.approx(float(tf.reduce_mean(known)), rel=1e-6)


@pytest.mark.slow
def test_minutes_become_steps_that_a_later_run_keeps(tmp_path):
    settings = replace(SETTINGS, minutes=0.05)
    corpus = number_corpus(DOCUMENTS)

    progress = pretrain_elmo(corpus, tmp_path, tmp_path / "out", settings)

    assert progress.curve[0]["n_steps"] == progress.step
    assert pretrain_elmo(corpus, tmp_path, tmp_path / "out", settings).step == progress.step


@pytest.mark.slow
def test_fewer_words_than_a_sample_has_are_learned_too(tmp_path):
    settings = replace(SETTINGS, n_sampled=1024, n_steps=4, n_character_steps=4)
    assert pretrain_elmo(number_corpus(DOCUMENTS), tmp_path / "work", tmp_path / "elmo", settings).step == 4
