import numpy as np

from petitions.encoders.characters import BOS, EOS, PADDING, to_character_ids, trim_padding
from petitions.encoders.elmo import CharacterCnn
from petitions.encoders.elmo_options import ElmoOptions


def test_a_token_is_its_bytes_plus_one_between_the_marks_of_a_word():
    ids = to_character_ids(["가a"], 8)

    assert ids.tolist() == [[259, 0xEA + 1, 0xB0 + 1, 0x80 + 1, ord("a") + 1, 260, 261, 261]]


def test_the_marks_of_a_sentence_are_words_of_one_character_and_no_text():
    ids = to_character_ids([BOS, EOS, "<S>"], 6)

    assert ids[:, 1].tolist() == [257, 258, ord("<") + 1]


def test_a_long_token_keeps_its_end_mark():
    ids = to_character_ids(["가" * 40], 50)

    assert ids[0, 0] == 259
    assert ids[0, -1] == 260
    assert PADDING not in ids


def test_a_lone_surrogate_is_left_out():
    assert to_character_ids(["\ud800a"], 5).tolist() == to_character_ids(["a"], 5).tolist()


def test_trimmed_padding_does_not_change_a_vector():
    network = CharacterCnn(ElmoOptions(character_dim=4, filters=((1, 4), (5, 8)), projection_dim=6))
    ids = to_character_ids(["급식", "a", BOS], 50)

    trimmed = trim_padding(ids, 5, (16, 24))

    assert trimmed.shape == (3, 16)
    np.testing.assert_allclose(network(trimmed), network(ids), atol=1e-6)


def test_a_width_that_leaves_no_room_for_a_window_of_padding_is_not_taken():
    ids = to_character_ids(["급식실"], 50)  # 9 bytes and two marks

    assert trim_padding(ids, 5, (15, 24)).shape == (1, 24)
