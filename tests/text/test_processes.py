import pytest

from petitions.errors import TransientError
from petitions.text.processes import TEXTS_A_LINE, map_in_processes

REVERSE = "from petitions.text.processes import answer_lines; answer_lines(lambda text: text[::-1])"
DIE = "import os, signal; input(); os.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize("n_texts", [0, 1, TEXTS_A_LINE, 5 * TEXTS_A_LINE + 1])
def test_each_text_is_answered_in_its_place(n_texts):
    texts = [f"{number} 학교" for number in range(n_texts)]
    assert map_in_processes(REVERSE, texts, 3) == [text[::-1] for text in texts]


def test_line_ends_and_half_surrogate_pairs_pass():
    assert map_in_processes(REVERSE, ["a\nb\u2028", "\ud800\x00"], 1) == ["\u2028b\na", "\x00\ud800"]


@pytest.mark.parametrize("program", [DIE, "import sys; sys.exit(3)"])
def test_a_process_that_dies_is_one_transient_error(program):
    with pytest.raises(TransientError, match=r"ended with the status (-9|3): is there memory enough"):
        map_in_processes(program, ["학교"] * 5 * TEXTS_A_LINE, 2)


def test_what_answering_raises_ends_all(capfd):
    with pytest.raises(TransientError, match="ended with the status 1"):
        map_in_processes(REVERSE.replace("text[::-1]", "1 / 0"), ["학교"], 1)
    assert "ZeroDivisionError" in capfd.readouterr().err
