"""The senses of a word over stored petitions: real Mecab, shipped weights, real Postgres, and 100 that were read."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import adjusted_rand_score
from sqlalchemy import create_engine, text

from invented import MONDAY, PETITION, TUESDAY, WINDOW
from petitions.cli import main
from petitions.errors import ConfigError
from petitions.records import PetitionText, Status
from petitions.settings import Settings
from petitions.steps import senses as step
from petitions.store.petitions import upsert_petitions
from petitions.text.normalize import normalize_text
from petitions.text.senses import cluster_senses, mix_vectors
from rows import read_all_rows, read_versions

DATA = Path(__file__).parents[3] / "shared/data/bluehouse"
LABELS = Path(__file__).parents[1] / "text/senses_100.tsv"
DOCTOR = ("병원에서 담당 의사가 진료를 거부했습니다. 문의 010-1234-5678", "수술을 맡은 의사 선생님께 설명을 들었습니다")
INTENTION = ("주민들은 반대 의사를 분명히 밝혔습니다", "조합은 참여할 의사가 없다고 했습니다")
SETTINGS = Settings(accelerator="cpu", cpu_engine="onnxruntime")


def make_petitions():
    """Twelve of each sense, one that its site hides, and one that has the letters alone."""
    bodies = [side[n % 2] + f" {n}일의 일입니다." for n in range(12) for side in (DOCTOR, INTENTION)]
    bodies += ["의사가 숨겼습니다", "국회의사당에서 의사소통을 했습니다"]
    petitions = [
        replace(
            PETITION,
            source_id=f"s-{number:03d}",
            title=f"{number}번째 청원",
            purpose="",
            body=normalize_text(body).text,
            begins_on=WINDOW.since + timedelta(days=number),
        )
        for number, body in enumerate(bodies)
    ]
    petitions[-2] = replace(petitions[-2], status=Status.HIDDEN)
    return petitions


@pytest.fixture
def stored(engine):
    with engine.begin() as conn:
        upsert_petitions(conn, make_petitions(), seen_at=MONDAY)
    return engine


def as_texts(petitions):
    return [
        PetitionText(petition_id=item.petition_id, content_hash="", title=item.title, purpose="", body=item.body)
        for item in petitions
    ]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("", "2 to 20 letters, got 0"),
        (" \u200b", "2 to 20 letters, got 0"),
        ("배", "2 to 20 letters, got 1"),
        ("가" * 10_000, "2 to 20 letters, got 10000"),
        ("의사 선생", "without a blank"),
    ],
)
def test_what_can_be_no_word_is_one_line_before_anything_is_opened(monkeypatch, word, told):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    done = CliRunner().invoke(main, ["senses", word])
    assert done.exit_code == 1
    (line,) = done.output.strip().splitlines()
    assert told in line
    assert len(line) < 200


def test_a_sample_is_even_bounded_and_the_same_each_time():
    texts = as_texts(make_petitions())
    n_found, chosen = step.choose_occurrences(texts, "의사", 10)
    assert (n_found, len(chosen)) == (25, 10)
    again = step.choose_occurrences(reversed(texts), "의사", 10)
    assert again == (n_found, chosen)
    _, without_last = step.choose_occurrences(texts[:-4], "의사", 10)
    assert len(set(without_last) & set(chosen)) >= 8, "what comes later moves few of those that were chosen"
    assert step.choose_occurrences(texts, "의사")[0] == 25


@pytest.mark.postgres
@pytest.mark.slow
def test_two_senses_are_told_stored_and_left_alone_when_they_are_found_again(stored, reader_url):
    found = step.find_senses(stored, SETTINGS, "의사", None, 2, at=MONDAY)
    assert [round(sense.share, 2) for sense in found.stored.senses] == [0.5, 0.5]
    sides = {frozenset(sense.petition_ids) for sense in found.stored.senses}
    assert all(len({int(name[-3:]) % 2 for name in side}) == 1 for side in sides), "each of one sense"
    told = [sentence for of_sense in found.sentences for sentence in of_sense]
    assert len(told) == 6
    assert all("【의사】" in sentence for sentence in told)
    assert not any("1234" in sentence for sentence in told)
    words = [set(sense.neighbours) for sense in found.stored.senses]
    assert any("병원" in of_sense for of_sense in words)
    assert not words[0] & words[1]

    before = read_versions(stored)
    step.find_senses(stored, SETTINGS, "의사", None, 2, at=TUESDAY)
    assert read_versions(stored) == before, "nothing is written again"
    step.find_senses(stored, SETTINGS, "의사", None, 1, at=TUESDAY)
    assert len(read_all_rows(stored)["word_sense"]) == 1, "two senses are replaced by one"

    reader = create_engine(reader_url)
    with reader.connect() as conn:
        (row,) = conn.execute(text("SELECT * FROM petitions.current_word_sense")).mappings()
        with pytest.raises(Exception, match="permission denied"):
            conn.execute(text("SELECT * FROM petitions.word_sense"))
    reader.dispose()
    assert (row["word"], row["source"], row["share"], row["n_found"]) == ("의사", "", 1, 24)
    with stored.begin() as conn:
        conn.execute(
            text("UPDATE petitions.petition SET status = 'hidden' WHERE petition_id = :id"),
            {"id": row["petition_ids"][0]},
        )
        shown = conn.scalar(text("SELECT petition_ids FROM petitions.current_word_sense"))
    assert shown == row["petition_ids"][1:]


@pytest.mark.postgres
@pytest.mark.slow
def test_the_command_prints_senses_and_refuses_what_is_nowhere(stored, database_url, monkeypatch):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_CPU_ENGINE", "onnxruntime")
    rows = json.loads(CliRunner().invoke(main, ["senses", "의사", "--json", "--source", "sample", "-k", "2"]).stdout)
    assert [row["sense"] for row in rows] == [1, 2]
    assert all(len(row["sentences"]) == len(row["petition_ids"]) == 3 for row in rows)
    for words, told in (
        (("의사당",), "'의사당' as a noun of its own"),
        (("의사", "--source", "assembly"), "no petition of assembly is stored"),
        (("거부", "-k", "9"), "--senses must be at most the 6 occurrences of '거부', got 9"),
    ):
        done = CliRunner().invoke(main, ["senses", *words])
        assert done.exit_code == 1
        assert told in done.output
        assert len(done.output.strip().splitlines()) == 1


@pytest.mark.postgres
def test_a_word_is_looked_for_letter_by_letter(stored):
    with pytest.raises(ConfigError, match="as a noun of its own"):
        step.find_senses(stored, SETTINGS, "%%", None, None, at=MONDAY)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"the petitions are not there: {DATA}")
def test_the_senses_of_100_occurrences_are_those_of_a_reader():
    """Doctor, intention, patriot: read before anything was clustered, drawn from all 558 by a seed."""
    rows = [
        json.loads(line)
        for path in sorted(DATA.glob("2019-0[4-8].jsonl"))
        for line in path.read_text("utf-8").split("\n")
        if line
    ]
    texts = [
        PetitionText(
            petition_id=str(row["id"]),
            content_hash="",
            title=" ".join(normalize_text(row["title"]).text.split()),
            purpose="",
            body=normalize_text(row["content"]).text,
        )
        for row in rows
    ]
    n_found, chosen = step.choose_occurrences(texts, "의사")
    assert n_found == len(chosen) == 558
    _, kinds = step.embed_occurrences(SETTINGS, "의사", [item for _, item in chosen])
    vectors = mix_vectors(list(zip(kinds, step.WEIGHTS, strict=True)), [owner for owner, _ in chosen])
    labels = cluster_senses(vectors)
    places = {(owner, item.start): number for number, (owner, item) in enumerate(chosen)}
    judged = [line.split("\t") for line in LABELS.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = labels[[places[name, int(start)] for name, start, _ in judged]]
    score = adjusted_rand_score([sense for *_, sense in judged], found)
    print(f"{len(judged)} occurrences, {np.unique(labels).size} senses: adjusted Rand index {score:.3f}")
    assert score > 0.6
