"""The command on screen: answers, and one clear line with a non-zero status for what cannot be."""

import json
import re
import subprocess
import sys

import click
import numpy as np
import pytest
from click.testing import CliRunner

from invented import BERT, ELMO, MONDAY, WINDOW, make_petitions, write_all
from petitions import commands
from petitions.cli import find_commands, main
from petitions.records import Source
from petitions.settings import Settings
from petitions.store.fusion import EncoderWeight, upsert_weight
from petitions.store.petitions import read_texts
from petitions.store.publishing import publish
from petitions.store.vectors import upsert_embeddings
from rows import write_words


@pytest.fixture
def run(monkeypatch, tmp_path):
    for name in ("PETITIONS_SOURCE", "PETITIONS_TOPICS", "PETITIONS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path / "artifacts"))
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def refusal(result) -> str:
    assert result.exit_code != 0
    lines = result.output.strip().splitlines()
    assert len(lines) == 1, result.output
    return lines[0]


def test_every_summary_in_a_list_of_commands_is_a_whole_sentence():
    def walk(command):
        inside = command.commands.values() if isinstance(command, click.Group) else ()
        return [command, *(each for one in inside for each in walk(one))]

    found = walk(main)
    assert len(found) > 40
    for command in found:
        first = command.help.partition("\n")[0]
        assert command.get_short_help_str(limit=1000).rstrip(".") == first.rstrip("."), "Click ends it at any full stop"


def test_every_command_explains_itself_in_one_screen(run):
    for name in main.commands:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert len(result.output.splitlines()) < 30


def test_the_list_of_commands_gives_whole_sentences(run):
    for group in ((), ("db",), ("archive",), ("pretrain",), ("finetune",)):
        listed = run(*group, "--help").output.partition("Commands:")[2]
        assert listed and "..." not in listed


def test_only_what_fits_topics_takes_their_number(run):
    taking = {name for name in main.commands if "--topics" in run(name, "--help").output}
    assert taking == {"fit-topics", "run"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("crawl", "--source", "senate"), "--source must be one of assembly, bluehouse, sample, got 'senate'"),
        (("crawl", "--until", "2024-02-30"), "--until must be a date YYYY-MM-DD, got '2024-02-30'"),
        (("fit-topics", "--topics", "many"), "--topics must be a number or auto, got 'many'"),
        (("fit-topics", "--topics", "201"), "PETITIONS_TOPICS must be 2 to 200, got 201"),
        (("crawl", "--months", "0"), "months must be 1 to 120, got 0"),
        (("tokens", "--input", "/nowhere/lines.txt"), "/nowhere/lines.txt"),
    ],
)
def test_bad_words_get_one_line_that_names_them(run, arguments, message):
    assert message in refusal(run(*arguments))


def test_an_unknown_setting_is_refused_by_name(run, monkeypatch):
    monkeypatch.setenv("PETITIONS_TOPICZ", "9")
    assert "unknown setting PETITIONS_TOPICZ" in refusal(run("topics"))


def test_a_database_that_is_down_is_one_line_without_its_password(run, monkeypatch):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", "postgresql://reader:hidden@127.0.0.1:1/petitions")
    line = refusal(run("topics"))
    assert "DatabaseDownError" in line
    assert "hidden" not in line


def test_tokens_prints_one_line_a_line(run, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("어린이집 급식을 바꿔 주세요\n\n지하철 요금이 비쌉니다\n", encoding="utf-8")
    result = run("tokens", "--input", str(lines))
    first, second, third = result.output.splitlines()
    assert "급식" in first.split()
    assert second == ""
    assert third.split() == ["지하철", "요금"]


def test_a_file_that_is_no_utf_8_is_refused(run, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_bytes(b"ok\n\xff\xfe\n")
    assert "lines.txt, line 2: byte 1 is no UTF-8" in refusal(run("tokens", "--input", str(lines)))


def test_two_lines_are_two_rows_whatever_else_stands_in_them(run, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_bytes("학교\u2028급식\x85버스\x0b노선\x0c지하철\x1c요금\r\n신호등\n".encode())
    output = run("tokens", "--input", str(lines)).output
    assert [line.split() for line in output.split("\n")] == [
        ["학교", "급식", "버스", "노선", "지하철", "요금"], ["신호등"], [],
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["bert", "elmo"])
def test_embed_writes_unit_vectors_in_the_order_of_the_lines(run, tmp_path, encoder):
    texts = ["학교 급식을 바꿔 주세요", "버스 노선을 늘려 주세요", "", "학교 급식을 바꿔 주세요"]
    (tmp_path / "lines.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    output = tmp_path / "vectors.npy"
    done = run("embed", "--input", str(tmp_path / "lines.txt"), "--output", str(output), "--encoder", encoder)
    assert done.exit_code == 0, done.output
    vectors = np.load(output)
    assert vectors.dtype == np.float32
    assert len(vectors) == 4
    of_nothing = 0 if encoder == "elmo" else 1  # BERT reads its marks; an ELMo weighs tokens, and there is none
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, of_nothing, 1], atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[3], atol=1e-5)
    assert vectors[0] @ vectors[1] < 0.9999


@pytest.mark.slow
def test_fill_and_next_answer_in_json(run):
    filled = json.loads(run("fill", "국민 여러분의 [MASK]을 부탁드립니다", "-k", "3", "--json").output)
    assert len(filled) == 3
    assert filled[0]["probability"] >= filled[1]["probability"] > 0
    (pair,) = json.loads(run("next", "학교 급식을 바꿔 주세요", "급식에서 벌레가 나왔습니다", "--json").output)
    assert 0 < pair["is_next"] < 1
    assert pair["label"] == int(pair["is_next"] < 0.5), "0 is next, as transformers has it"


@pytest.mark.slow
def test_next_scores_a_file_as_it_scores_pair_by_pair(run, tmp_path):
    pairs = [("학교 급식을 바꿔 주세요", "급식에서 벌레가 나왔습니다"), ("버스를 늘려 주세요", "")]
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in pairs), encoding="utf-8")
    done = run("next", "--input", str(tmp_path / "pairs.tsv"), "--output", str(tmp_path / "p.npy"))
    assert done.exit_code == 0, done.output
    found = np.load(tmp_path / "p.npy")
    assert found.dtype == np.float32
    alone = [json.loads(run("next", *pair, "--json").output)[0]["is_next"] for pair in pairs]
    np.testing.assert_allclose(found, alone, atol=1e-5)


@pytest.mark.parametrize(
    ("lines", "told"), [("하나\n", "line 1"), ("가\t나\n가\t나\t다\n", "line 2"), (None, "must be a file")]
)
def test_next_refuses_a_file_that_holds_no_pairs(run, tmp_path, lines, told):
    if lines is not None:
        (tmp_path / "pairs.tsv").write_text(lines, encoding="utf-8")
    done = run("next", "--input", str(tmp_path / "pairs.tsv"), "--output", str(tmp_path / "p.npy"))
    assert done.exit_code != 0
    assert told in done.output
    assert not (tmp_path / "p.npy").exists()


@pytest.mark.parametrize(
    "words", [("하나",), ("--input", "x.tsv"), ("하나", "둘", "--input", "x.tsv", "--output", "y.npy")]
)
def test_next_wants_two_texts_or_two_files(run, words):
    done = run("next", *words)
    assert done.exit_code == 2
    assert "FIRST and SECOND" in done.output


@pytest.mark.postgres
def test_an_empty_database_has_no_topics_and_says_so(run, monkeypatch, database_url):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    assert json.loads(run("topics", "--source", "sample", "--json").output) == []
    assert "no fit nothing" in refusal(run("publish", "--model", "nothing"))
    assert "no published petition is called" in refusal(run("similar", "sample:none"))


@pytest.mark.postgres
@pytest.mark.parametrize("command", ["topics", "trends"])
def test_topics_and_trends_show_all_three_shares_by_main_topic(run, monkeypatch, database_url, engine, command):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    shown = run(command, "--source", "sample").output
    rows = json.loads(run(command, "--source", "sample", "--json").output)
    for name in ("share", "balanced_share", "agreement_share"):
        assert f" {name} " in shown.splitlines()[1], shown
        assert sum(row[name] for row in rows[:3]) == pytest.approx(1, abs=1e-5)
    assert isinstance(rows[0]["n_agreements"], int)
    assert max(map(len, shown.splitlines())) <= 140


@pytest.mark.postgres
@pytest.mark.parametrize("command", ["topics", "trends"])
def test_without_a_source_all_that_is_published_is_shown(run, monkeypatch, database_url, engine, command):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_SOURCE", "assembly")
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    assert {row["source"] for row in json.loads(run(command, "--json").output)} == {"sample"}
    assert json.loads(run(command, "--source", "assembly", "--json").output) == []


@pytest.mark.postgres
def test_going_back_to_an_unknown_fit_begins_no_run(run, monkeypatch, database_url, engine):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    run("publish", "--model", "nothing")
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM petitions.pipeline_run").scalar_one() == 0


@pytest.mark.postgres
def test_the_tour_answers_its_example_queries(run, monkeypatch, database_url, engine):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    with engine.begin() as conn:
        write_all(conn, make_petitions(12))
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    result = run("tour", "--source", "sample")
    assert result.exit_code == 0, result.output
    assert "건널목" in result.output
    assert result.output.count("\nSELECT ") == 3
    assert "FROM petitions.emerging_topic\nWHERE source = 'sample'" in result.output
    near = re.findall(r"│\s+([01]\.\d+) │", result.output.partition("nearest in meaning")[2])
    assert len(near) == 5
    assert near == sorted(near, reverse=True)


@pytest.mark.postgres
def test_search_answers_within_the_source_that_is_named(run, monkeypatch, database_url, engine):
    from petitions.encoders.bert_encoder import load_bert

    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    bert = load_bert(Settings().bert_model, "cpu")
    with engine.begin() as conn:
        write_all(conn, make_petitions(4))
        texts = read_texts(conn, Source("sample"), WINDOW)
        upsert_embeddings(conn, bert.name, texts, bert.embed([item.title for item in texts]))
        publish(conn, "fit-1", [bert.name, ELMO], at=MONDAY)
    for named, n_found in (((), 4), (("--source", "sample"), 4), (("--source", "assembly"), 0)):
        result = run("search", "건널목", "--json", *named)
        assert result.exit_code == 0, result.output
        assert len(json.loads(result.stdout)) == n_found
    assert (
        "--source must be one of assembly, bluehouse, sample, got 'senate'"
        in run("search", "건널목", "--source", "senate").output
    )


@pytest.fixture
def four(monkeypatch, database_url, engine):
    """Four published petitions with words, by an encoder without a weight: TensorFlow is not loaded."""
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    with engine.begin() as conn:
        write_all(conn, make_petitions(4))
        write_words(conn, Source("sample"), [["급식", "617"], ["신호등"], ["급식"], ["신호등", "건널목"]])
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)


@pytest.mark.postgres
def test_search_keeps_to_what_its_options_name(run, four):
    def find(*options) -> list[str]:
        result = run("search", *options, "--json")
        assert result.exit_code == 0, result.output
        return [row["petition_id"][-1] for row in json.loads(result.stdout)]

    assert sorted(find("급식")) == ["1", "3"]
    assert find("6.17 급식") == ["1", "3"]
    assert find("급식", "--since", "2024-04-03") == ["3"]
    assert find("급식", "--until", "2024-04-03", "--category", "교통/건축/국토", "--status", "open") == ["1"]
    assert find("급식", "--status", "answered") == []
    assert find("급식 asdfgh") == find("급식")
    assert len(find("건널목에 신호등을 놓아", "-k", "2")) == 2


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("",), "the question is empty"),
        ((" \t",), "the question is empty"),
        ((), "search takes a SENTENCE, or --input and --output"),
        (("급식", "--input", __file__), "search takes a SENTENCE, or --input and --output"),
        (("급식", "--category", "없음"), "--category must be one of 교통/건축/국토, got '없음'"),
        (("급식", "--since", "2024-05-01", "--until", "2024-05-01"), "--since must be before --until"),
        (("급식", "--since", "May"), "--since must be a date YYYY-MM-DD, got 'May'"),
    ],
)
def test_a_search_that_cannot_be_is_refused_in_a_line(run, four, options, told):
    assert told in refusal(run("search", *options))


@pytest.mark.postgres
@pytest.mark.parametrize("question", ["😀😀", "가" * 10_000, "' OR 1=1; --", "a & b | c:* <-> !d", "%", "\\", "힣"])
def test_an_odd_question_has_no_answer_and_is_no_error(run, four, question):
    result = run("search", question, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == []


@pytest.mark.postgres
def test_many_questions_are_answered_a_line_each_in_their_order(run, four, tmp_path):
    questions, output = tmp_path / "questions.txt", tmp_path / "results.jsonl"
    questions.write_text("급식\n\n신호등\n" + "617\n" * 70, encoding="utf-8")
    result = run("search", "--input", str(questions), "--output", str(output), "-k", "1")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert lines[0] in (["sample:a-001"], ["sample:a-003"])
    assert lines[1] == []
    assert lines[2] == ["sample:a-002"]
    assert lines[3:] == [["sample:a-001"]] * 70


def test_a_module_of_commands_is_all_that_a_new_command_needs(monkeypatch, tmp_path):
    source = "import click\n\n@click.command()\ndef greet():\n    click.echo('hello')\n\nCOMMANDS = (greet,)\n"
    (tmp_path / "greeting.py").write_text(source)
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    found = {command.name: command for command in find_commands()}
    monkeypatch.delitem(sys.modules, "petitions.commands.greeting")
    assert {"greet", "run", "db", "doctor"} <= found.keys()
    assert CliRunner().invoke(found["greet"]).output == "hello\n"


@pytest.mark.postgres
def test_a_step_that_loads_no_model_starts_without_the_libraries_of_models():
    program = "import sys, petitions.pipeline; print([n for n in ('transformers', 'tensorflow') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_question_is_not_embedded_by_other_weights_than_those_published(run, monkeypatch, database_url, engine):
    """The weights that ship, trained again: as wide, and without a meaning to each other."""
    from petitions.encoders.registry import ENCODERS

    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    shipped = ENCODERS["bert"].name(Settings())
    with engine.begin() as conn:
        write_all(conn, make_petitions(4))
        write_words(conn, Source("sample"), [["건널목"]])
        upsert_weight(conn, EncoderWeight(encoder=BERT, search_weight=1))
        publish(conn, "fit-1", [BERT, ELMO], at=MONDAY)
    refused = refusal(run("search", "건널목"))
    assert (
        f"published is sample by {BERT}, but PETITIONS_BERT_MODEL and PETITIONS_EMBEDDING_MODEL is {shipped}" in refused
    )
    assert refused.endswith(
        "set it to the published weights, or run a night with the new ones, or name another --source"
    )
    assert refusal(run("search", "건널목", "--source", "sample")).endswith("or run a night with the new ones")


def test_the_words_of_search_are_printed_a_line_each(run, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("GTX-D 노선\n\n6.17 대책\n", encoding="utf-8")
    result = run("tokens", "--input", str(lines), "--search")
    assert [set(line.split()) for line in result.stdout.splitlines()] == [
        {"노선", "GTXD", "GTX"},
        set(),
        {"대책", "617", "17"},
    ]


def test_the_command_starts_without_what_its_commands_need():
    heavy = "numpy scipy sqlalchemy tensorflow gensim requests jinja2 pyarrow bs4"
    program = f"import sys, petitions.cli; print([name for name in {heavy.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
