"""The encoders that the settings name, as steps and commands ask them."""

import numpy as np
import pytest

from encoders.tiny_folders import PROMPTS, copy_tiny, write_sentence_files
from petitions.settings import Settings
from petitions.steps.encoders import load_encoder

pytestmark = pytest.mark.slow  # each loads networks

TEXTS = ["학교 버스", "강아지"]


@pytest.fixture
def settings(tmp_path):
    folder = str(write_sentence_files(copy_tiny(tmp_path), prompts=PROMPTS, pooling_mode_mean_tokens=True))
    return Settings(bert_model=folder, embedding_model=folder, accelerator="cpu")


def test_a_question_has_its_own_prompt_and_a_petition_that_of_texts(settings):
    (name, embed), (asked_name, ask) = load_encoder("bert", settings), load_encoder("bert", settings, of_questions=True)
    assert name == asked_name
    bare = Settings(
        bert_model=settings.bert_model, embedding_model=settings.bert_model, accelerator="cpu", embedding_prompts="|"
    )
    bare_name, plain = load_encoder("bert", bare)
    assert bare_name != name
    np.testing.assert_allclose(embed(TEXTS), plain([PROMPTS["passage"] + text for text in TEXTS]), atol=1e-6)
    np.testing.assert_allclose(ask(TEXTS), plain([PROMPTS["query"] + text for text in TEXTS]), atol=1e-6)


def test_elmo_has_no_prompts():
    settings = Settings(accelerator="cpu")
    (name, embed), (asked_name, ask) = load_encoder("elmo", settings), load_encoder("elmo", settings, of_questions=True)
    assert name == asked_name
    np.testing.assert_array_equal(ask(["학교"]), embed(["학교"]))
