import os
import signal
import subprocess
import sys
import time
from collections import Counter

import psutil
import pytest

from petitions.cpus import count_cpus
from petitions.text import tokenizer
from petitions.text.normalize import MAX_CHARACTERS
from petitions.text.tokenizer import MIN_TEXTS_FOR_PROCESSES, TOKENIZER, Tokenizer, read_stopwords, tokenize_many


@pytest.fixture(scope="module")
def mecab():
    return Tokenizer()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("아동학대 방지를 위한 어린이집 CCTV 설치", ["아동", "학대", "어린이집", "CCTV", "설치"]),
        ("버스 노선이 줄어 버스를 못 탑니다", ["버스", "노선", "버스"]),
        ("cctv와 Cctv", ["CCTV", "CCTV"]),
        ("존경하는 대통령님, 이 문제를 해결해 주시기 바랍니다. 감사합니다.", []),
        ("", []),
        (" \n\t\n", []),
        ("...!?~ 12345 ^^ ㅠㅠ", []),
    ],
)
def test_tokens_are_the_nouns_that_may_name_a_subject(mecab, text, tokens):
    assert mecab.tokenize(text) == tokens


def test_masks_addresses_and_blanked_names_are_no_words(mecab):
    addresses = "https://example.com/school/bus?a=1에서 www.bus.kr bus.example.co.kr"
    text = f"[전화번호] [이메일] [주민등록번호] 김*** {addresses} 병원"
    assert mecab.tokenize(text) == ["병원"]
    assert mecab.morphemes("[전화번호]로 병원") == ["로", "병원"]


def test_nothing_after_a_nul_or_a_lone_surrogate_is_lost(mecab):
    assert mecab.tokenize("학교\x00병원\ud800지하철") == ["학교", "병원", "지하철"]


def test_morphemes_are_every_surface_of_every_line(mecab):
    assert mecab.morphemes("학교에 갔다.\n\n버스가 없다") == ["학교", "에", "갔", "다", ".", "버스", "가", "없", "다"]


def test_lines_do_not_change_each_others_tokens(mecab):
    lines = ["주차장이 모자랍니다", "놀이터 그늘막", "지하철 요금"]
    assert mecab.tokenize("\n".join(lines)) == [token for line in lines for token in mecab.tokenize(line)]


def test_a_long_line_is_tagged_whole_in_pieces(mecab):
    assert Counter(mecab.tokenize("지하철 요금 " * 5_000)) == {"지하철": 5_000, "요금": 5_000}


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["a", "가", "지하철", "\n", " ", ".", "a.", "*", "https://"])
@pytest.mark.timeout(240)  # a lattice of the whole line would take hours
def test_the_longest_text_does_not_hang(mecab, unit):
    mecab.tokenize((unit * MAX_CHARACTERS)[:MAX_CHARACTERS])


def test_large_batches_give_what_small_ones_give(monkeypatch):
    monkeypatch.setattr(tokenizer, "count_cpus", lambda: 2)
    texts = [f"{number}번 버스 노선과 학교 급식" for number in range(MIN_TEXTS_FOR_PROCESSES + 1)]
    before = {child.pid for child in psutil.Process().children()}  # of other tests
    assert tokenize_many(texts) == [["버스", "노선", "학교", "급식"]] * len(texts)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_container_of_one_cpu_starts_no_process_whatever_the_machine_has(monkeypatch):
    assert tokenizer.count_cpus is count_cpus  # which knows the quota
    monkeypatch.setattr(tokenizer, "count_cpus", lambda: 1)
    monkeypatch.setattr(tokenizer, "map_in_processes", None)
    assert tokenize_many(["학교"] * (MIN_TEXTS_FOR_PROCESSES + 1)) == [["학교"]] * (MIN_TEXTS_FOR_PROCESSES + 1)


def test_small_batches_start_no_process(monkeypatch):
    monkeypatch.setattr(tokenizer, "map_in_processes", None)
    assert tokenize_many(["학교"] * (MIN_TEXTS_FOR_PROCESSES - 1)) == [["학교"]] * (MIN_TEXTS_FOR_PROCESSES - 1)
    assert tokenize_many([]) == []


def test_a_killed_run_leaves_no_process_behind():
    program = (
        "import psutil, threading, time\n"
        "from petitions.text import tokenizer\n"
        "tokenizer.count_cpus = lambda: 2\n"
        "def tell():\n"
        "    while len(psutil.Process().children()) < 2: time.sleep(0.01)\n"
        "    print(*(child.pid for child in psutil.Process().children()), flush=True)\n"
        "threading.Thread(target=tell, daemon=True).start()\n"
        "tokenizer.tokenize_many(['학교 급식 ' * 2000] * 1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=os.environ) as run:
        children = [int(pid) for pid in run.stdout.readline().split()]
        run.send_signal(signal.SIGKILL)
    assert len(children) == 2
    wait_until_gone(children)


def wait_until_gone(pids, seconds=60):
    end = time.monotonic() + seconds
    while alive := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < end, f"still running: {alive}"
        time.sleep(0.05)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_tags_tell_where_words_begin_and_which_names_are_persons():
    tagged = Tokenizer().tag("박지성 선수와 학교급식\n문제 ***")
    assert tagged == [
        ("박지성", "인명", True),
        ("선수", "NNG", True),
        ("와", "JC", False),
        ("학교", "NNG", True),
        ("급식", "NNG", False),
        ("문제", "NNG", True),
    ]
    assert Tokenizer().tag("\t\x00 \t\n") == []


def test_every_group_of_stop_words_states_its_reason():
    lines = [
        line for line in tokenizer.files("petitions.text").joinpath("stopwords.txt").read_text().splitlines() if line
    ]
    groups = [index for index, line in enumerate(lines) if line.startswith("# ") and line[2].isdigit()]
    assert len(groups) >= 10
    assert all(":" in lines[index] and not lines[index + 1].startswith("#") for index in groups)
    assert 150 <= len(read_stopwords()) <= 400


def test_the_tokenizers_name_changes_with_the_stop_words(monkeypatch):
    assert tokenizer._name_tokenizer() == TOKENIZER
    monkeypatch.setattr(tokenizer, "read_stopwords", lambda: frozenset({"학교"}))
    assert tokenizer._name_tokenizer() != TOKENIZER
    assert TOKENIZER.startswith("mecab-ko-")


def test_a_line_is_tagged_once_for_topics_search_and_keywords(monkeypatch):
    from petitions.text import tokenizer as module
    from petitions.text.keywords import extract_keywords
    from petitions.text.search_words import SearchTokenizer

    asked = []
    title, body = "건널목에 신호등을 놓아 주세요", "학교 앞 건널목이 위험합니다.\n신호등이 필요합니다."
    monkeypatch.setattr(module, "_answers", module._Answers())
    tokenizer, search = Tokenizer(), SearchTokenizer()

    class Counting:
        """Mecab, and what it was asked."""

        def __init__(self, tagger):
            self.tagger = tagger

        def parse(self, piece):
            asked.append(piece)
            return self.tagger.parse(piece)

    tokenizer._tagger = search._tokenizer._tagger = Counting(tokenizer._tagger)
    first = tokenizer.tokenize(f"{title}\n{body}")
    assert len(asked) == 3
    search.split(title), search.split(body)
    tokenizer.morphemes(f"{title}\n{body}")
    extract_keywords(tokenizer, f"{title}\n{body}", 5)
    assert tokenizer.tokenize(f"{title}\n{body}") == first
    assert len(asked) == 3


def test_what_is_kept_of_the_tagger_has_an_end(monkeypatch):
    from petitions.text import tokenizer as module

    kept = module._Answers()
    monkeypatch.setattr(module, "MOST_KEPT", 100)
    for number in range(50):
        kept.put(f"{number:02}", "답" * 18)
    assert len(kept._kept) <= 5
    assert kept.get("49") == "답" * 18
