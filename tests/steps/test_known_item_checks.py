"""A run is not published whose vectors, as they are served, spoil what words find."""

import pytest
from sqlalchemy import text

from invented import BERT, WINDOW
from known import PETITIONS, embed_by_chance, embed_knowing, publish_known
from petitions.commands.doctor import examine
from petitions.encoders.registry import ENCODERS, SEARCHED
from petitions.errors import ConfigError
from petitions.records import Source
from petitions.settings import Settings
from petitions.steps import known_items
from petitions.steps.known_items import LEAST, plan_known_items
from petitions.store.artifacts import ArtifactStore
from petitions.store.checks import CheckResult, run_check
from petitions.store.fusion import EncoderWeight, upsert_weight
from petitions.text.known_questions import compare

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
SETS = {"title", "two_words_of_the_title", "body_from_title"}
SHIPPED = ENCODERS[SEARCHED].name(Settings())


@pytest.fixture
def check(conn, tmp_path):
    """Plan and run the checks, with vectors that count so much."""
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))

    def run(weight: float) -> list[CheckResult]:
        upsert_weight(conn, EncoderWeight(encoder=BERT, search_weight=weight))
        planned = plan_known_items(conn, Settings(source="sample"), artifacts, Source("sample"), WINDOW, BERT)
        return [run_check(conn, item) for item in planned]

    return run


def test_words_alone_pass_without_loading_weights(conn, check, monkeypatch):
    monkeypatch.setattr(known_items, "load_encoder", None)  # is not called
    publish_known(conn, BERT, embed_by_chance)
    found = check(0)
    assert {item.name for item in found} == {f"known_items_by_{name} {BERT}" for name in SETS}
    assert all(item.passed for item in found)
    assert (found[0].value, found[0].limit) == (1, "at least 1"), "no worse than words alone"


@pytest.mark.parametrize(("embed", "is_worse"), [(embed_by_chance, True), (embed_knowing, False)])
def test_vectors_that_spoil_what_words_find_fail_by_name(conn, check, monkeypatch, embed, is_worse):
    monkeypatch.setattr(known_items, "load_encoder", lambda *_, **__: (BERT, embed))
    publish_known(conn, BERT, embed)
    failed = {item.name for item in check(1) if not item.passed}
    assert (f"known_items_by_title {BERT}" in failed) == is_worse
    assert bool(failed) == is_worse


def test_what_was_found_stands_until_the_weight_or_a_tenth_of_the_texts_is_another(conn, check, monkeypatch):
    measured = []

    def count(*arguments):
        measured.append(arguments)
        return compare(*arguments)

    monkeypatch.setattr(known_items, "compare", count)
    monkeypatch.setattr(known_items, "load_encoder", lambda *_, **__: (BERT, embed_knowing))
    publish_known(conn, BERT, embed_knowing)
    edit = text("""UPDATE petitions.petition SET content_hash = md5(petition_id || :salt) WHERE petition_id IN
        (SELECT petition_id FROM petitions.petition ORDER BY petition_id OFFSET :first LIMIT :n)""")
    keep = text("""UPDATE petitions.petition_embedding AS e SET content_hash = p.content_hash
        FROM petitions.petition AS p WHERE p.petition_id = e.petition_id""")
    first, n = check(0.1), len(PETITIONS) // 10
    for bound in ({"salt": "a", "first": 0, "n": n}, {"salt": "b", "first": n, "n": 1}):
        assert check(0.1) == first
        assert len(measured) == 1, "also after the first edit, of a tenth of the texts"
        conn.execute(edit, bound)
        conn.execute(keep)
    assert check(0.1) == first
    assert len(measured) == 2, "more than a tenth is new"
    check(0.2)
    assert len(measured) == 3
    check(0.2)
    assert len(measured) == 3


def test_what_was_worse_is_measured_again(conn, check, monkeypatch):
    monkeypatch.setattr(known_items, "load_encoder", lambda *_, **__: (BERT, embed_by_chance))
    publish_known(conn, BERT, embed_by_chance)
    assert not all(item.passed for item in check(1))
    monkeypatch.setattr(known_items, "compare", lambda *_: [])
    assert check(1) == []


def test_few_petitions_are_no_measure(conn, check):
    publish_known(conn, BERT, embed_by_chance, n=LEAST - 1)
    assert check(1) == []


def test_questions_are_not_embedded_by_other_weights(conn, check, monkeypatch):
    monkeypatch.setattr(known_items, "load_encoder", lambda *_, **__: ("other@1", embed_by_chance))
    publish_known(conn, BERT, embed_by_chance)
    with pytest.raises(ConfigError, match=f"the run is searched by {BERT}, but .* is other@1"):
        check(1)


def test_the_doctor_tells_words_vectors_and_both(engine, monkeypatch, database_url, tmp_path):
    monkeypatch.setenv("PETITIONS_DATABASE_URL", database_url)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    monkeypatch.setenv("PETITIONS_ELMO_MODEL", "/nowhere/elmo")
    monkeypatch.setattr(known_items, "load_encoder", lambda *_, **__: (SHIPPED, embed_by_chance))
    with engine.begin() as conn:
        publish_known(conn, SHIPPED, embed_by_chance)

    def look():
        return {item.part: item for item in examine(with_recall=True)}

    found = look()
    assert found["known items"].is_fit, found["known items"]
    assert found["known items"].found.count("sample, ") == 3
    assert "sample, title: words 1.000, vectors 0." in found["known items"].found
    assert "both 1.000" in found["known items"].found
    assert found["recall"].found == f"{SHIPPED} exact, no index"
    with engine.begin() as conn:
        conn.execute(text("INSERT INTO petitions.encoder_weight VALUES (:name, 1, 0)"), {"name": SHIPPED})
    worse = look()["known items"]
    assert not worse.is_fit
    assert worse.found.endswith("both must find as well as words, `petitions weigh-search --write`")
