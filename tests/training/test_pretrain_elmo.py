"""Training on an invented corpus of a few hundred sentences that follow three patterns."""

import numpy as np
import pytest

from petitions.encoders.characters import PADDING
from petitions.encoders.elmo import CharacterCnn
from petitions.encoders.elmo_encoder import load_elmo
from petitions.encoders.elmo_options import ElmoOptions
from petitions.errors import ConfigError
from petitions.training.elmo_warm_start import encode_tokens, fit_characters, learn_word_vectors
from petitions.training.elmo_windows import EOS_WORD, UNKNOWN, WindowSampler, read_stream
from petitions.training.pretrain_elmo import ElmoTrainingSettings, pretrain_elmo

PATTERNS = (
    "학교 급식 을 개선 해 주 세요 .",
    "버스 노선 을 늘려 주 세요 .",
    "공원 에 나무 를 심어 주 시 기 바랍니다 .",
)
SENTENCES = [pattern.split() for pattern in PATTERNS] * 200
TINY = ElmoOptions(character_dim=4, filters=((1, 8), (3, 16)), projection_dim=16, lstm_dim=32)


def read_small_stream(sentences, vocabulary=100, min_count=1):
    return read_stream(sentences, vocabulary=vocabulary, min_count=min_count, max_characters=50)


def test_one_sentence_in_fifty_is_held_out_and_each_stands_between_its_marks():
    stream = read_small_stream(SENTENCES)

    assert (stream.held_out == 0).sum() == len(SENTENCES) // 50
    assert (stream.training == 0).sum() == (stream.training == 1).sum() == len(SENTENCES) - len(SENTENCES) // 50
    assert stream.training[0] == 0
    assert stream.training[-1] == 1


def test_rare_tokens_are_read_but_predicted_as_the_unknown_word():
    stream = read_small_stream([*SENTENCES, ["드문", "세요"]], min_count=2)

    assert "드문" not in stream.words
    assert "세요" in stream.words
    assert stream.word_of_token[-1] == UNKNOWN
    assert stream.spelled[-1, 0] != PADDING


def test_the_vocabulary_holds_the_most_frequent_words():
    stream = read_small_stream(SENTENCES, vocabulary=6)

    assert stream.words[:3] == ("<UNK>", "<S>", "</S>")
    assert set(stream.words[3:]) == {".", "주", "을"}


def test_targets_are_the_neighbours_of_each_token():
    stream = read_small_stream(SENTENCES)
    sampler = WindowSampler(stream, batch_size=2, window=8)

    tokens, next_words, previous_words = next(iter(sampler.sample_training(np.random.default_rng(0))))

    following, preceding = next_words.reshape(2, 8), previous_words.reshape(2, 8)
    np.testing.assert_array_equal(following[:, :-2], preceding[:, 2:])
    np.testing.assert_array_equal(stream.word_of_token[tokens[:, 1:]], following[:, :-1])
    assert EOS_WORD in following


def test_an_epoch_holds_every_window_once():
    stream = read_small_stream([["가"], *([str(number)] for number in range(400))], vocabulary=500)
    sampler = WindowSampler(stream, batch_size=4, window=8)
    n_batches = (len(stream.training) - 2 - 8) // 8 // 4

    batches = sampler.sample_training(np.random.default_rng(0))
    seen = np.concatenate([next(batches)[2] for _ in range(n_batches)])

    words = seen[seen > EOS_WORD]
    assert len(words) == len(set(words)) > 300


def test_too_little_text_is_refused_with_its_size():
    settings = ElmoTrainingSettings(options=TINY, min_count=1)

    with pytest.raises(ConfigError, match="batches of 64 windows of 32 tokens: 16 tokens to train on, 9 held out"):
        pretrain_elmo([PATTERNS[0].split()[:7], PATTERNS[1].split(), PATTERNS[1].split()[:5]], "unused", settings)


def test_text_that_never_repeats_itself_is_refused():
    with pytest.raises(ConfigError, match="no token of the corpus occurs 3 times"):
        read_small_stream([[str(number)] for number in range(100)], min_count=3)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="minutes must be over 0, got 0"):
        ElmoTrainingSettings(minutes=0)


@pytest.mark.slow
def test_the_warm_start_teaches_the_characters_to_spell_word_vectors():
    stream = read_small_stream(SENTENCES)
    characters = CharacterCnn(TINY)
    tokens, vectors = learn_word_vectors(stream, TINY.projection_dim, min_count=1, seed=0)

    left = fit_characters(characters, stream, tokens, vectors, minutes=0.1)

    assert left < 0.5  # of a mean square of 1
    spelled = encode_tokens(characters, stream)
    assert spelled.shape == (len(stream.spelled), TINY.projection_dim)
    nearest = ((spelled[tokens, np.newaxis] - vectors) ** 2).sum(axis=-1).argmin(axis=1)
    assert np.mean(nearest == np.arange(len(tokens))) > 0.7


@pytest.mark.slow
def test_a_short_training_learns_the_patterns_and_leaves_a_model_that_loads(tmp_path):
    settings = ElmoTrainingSettings(
        options=TINY,
        minutes_of_warm_start=0.03,
        minutes=0.15,
        minutes_between_checkpoints=0.1,
        batch_size=8,
        window=8,
        n_sampled=16,
        min_count=1,
    )

    history = pretrain_elmo(SENTENCES, tmp_path / "elmo-tiny", settings)

    assert history[-1].perplexity_forward < history[0].perplexity_forward / 3
    assert history[-1].perplexity_backward < history[0].perplexity_backward / 3
    assert history[-1].accuracy_forward > 0.5
    assert len(history) == 3  # before, at six seconds, at the end
    assert f"forward {history[-1].perplexity_forward:.1f}" in (tmp_path / "elmo-tiny/README.md").read_text("utf-8")
    assert load_elmo(str(tmp_path / "elmo-tiny"), "cpu").embed([["학교", "급식"]]).shape == (1, 32)
