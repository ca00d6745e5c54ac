from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from petitions.encoders.bert import BertSize, SegmentMatchHead
from petitions.encoders.bert_encoder import load_bert

pytestmark = pytest.mark.slow  # each loads networks

TINY = Path(__file__).parent / "golden/tiny-bert"
WIDTH = 32


@pytest.fixture
def matching(tmp_path):
    """The tiny checkpoint with a head that compares the two texts, in the place of BERT's own."""
    for path in TINY.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    random = np.random.default_rng(0)
    tensors = {name: value for name, value in load_file(TINY / "model.safetensors").items() if "seq_rel" not in name}
    weight = random.standard_normal(2 * WIDTH).astype(np.float32)
    tensors |= {"cls.segment_match.weight": weight, "cls.segment_match.scale": np.array([3.0, -1.0], np.float32)}
    save_file(tensors, tmp_path / "model.safetensors")
    return tmp_path


def mean_of_unit_length(hidden, chosen):
    mean = hidden[chosen].mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_the_logit_is_what_the_two_means_weigh():
    size = BertSize(
        vocab_size=5,
        hidden_size=4,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=8,
    )
    head, random = SegmentMatchHead(size), np.random.default_rng(1)
    weight, hidden = random.standard_normal(8), random.standard_normal((1, 6, 4))
    head.kernel.assign(weight)
    head.scale.assign([2.0, 0.5])
    segments, mask = np.array([[0, 0, 1, 1, 1, 0]]), np.array([[1, 1, 1, 1, 1, 0]])
    found = head(hidden.astype(np.float32), segments, mask).numpy()
    first, second = mean_of_unit_length(hidden[0], [0, 1]), mean_of_unit_length(hidden[0], [2, 3, 4])
    wanted = weight @ np.concatenate([first * second, np.abs(first - second)]) + 2 * first @ second + 0.5
    np.testing.assert_allclose(found, [[wanted, 0.0]], rtol=1e-5)


def test_a_folder_with_it_scores_pairs_and_each_pair_alone(matching):
    bert = load_bert(str(matching), "cpu")
    assert bert.heads == ["masked words", "next sentence"]
    short, long = bert.encode_pieces(["학교 청원", "버스 병원 마을 노인 아이 동물 강아지"])
    pairs = [bert.frame(short, long), bert.frame(short, short), bert.frame(long, short)]
    together = bert.predict_next(pairs)
    assert not np.allclose(together[0], together[2])
    for pair, row in zip(pairs, together, strict=True):
        np.testing.assert_allclose(bert.predict_next([pair])[0], row, atol=1e-5)
