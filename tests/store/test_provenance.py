"""From a row to its raw answer and every version, and from those to the same row again."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from sqlalchemy import text

from invented import make_model, make_shares, make_topics
from invented_pages import bluehouse_page
from petitions.crawl.answer import Answer
from petitions.crawl.archive import Archive
from petitions.crawl.reading import read_detail
from petitions.crawl.sites import open_site
from petitions.pipeline import Pipeline
from petitions.records import PetitionText, Source, Window
from petitions.settings import Settings
from petitions.steps.encoders import load_encoder
from petitions.store import publishing
from petitions.store.artifacts import ArtifactStore
from petitions.store.tokens import record_tokenizer
from petitions.store.topics import write_topic_model
from petitions.store.upsert import Counts
from petitions.text.normalize import normalize_petition
from petitions.text.tokenizer import TOKENIZER, Tokenizer, describe_tokenizer

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

AT = datetime(2019, 9, 1, 3, tzinfo=UTC)
WINDOW = Window(since=date(2019, 7, 1), until=date(2019, 10, 1))
SETTINGS = Settings(source="bluehouse")
TITLES = ("골목길 가로등을 늘려 주세요", "마을 도서관을 밤에도 열어 주세요", "학교 앞 건널목을 고쳐 주세요")
BODY = "밤길이 어둡습니다.<br />연락은 010-1234-5678 &amp;amp; {}번 정류장입니다. 가로등과 도서관을 늘려 주세요."


@pytest.fixture
def pipeline(engine, tmp_path) -> Pipeline:
    """A run of the Blue House over an archive of three answers, published."""
    artifacts = ArtifactStore(str(tmp_path))
    pipeline = Pipeline(
        settings=SETTINGS,
        engine=engine,
        artifacts=artifacts,
        source=Source("bluehouse"),
        window=WINDOW,
        clock=lambda: AT,
    )
    with Archive(artifacts).open_batch(Source("bluehouse"), at=AT) as batch:
        for number, title in enumerate(TITLES, start=1):
            page = bluehouse_page(title=title, body=BODY.format(number))
            url = f"{SETTINGS.site_url(Source('bluehouse'))}/petitions/{number}"
            batch.add(Answer(url=url, status=200, headers=(), body=page, fetched_at=AT))
    pipeline.crawl(is_replay=True)
    pipeline.tokenize()
    pipeline.encode("bert")
    publish(pipeline)
    return pipeline


def publish(pipeline: Pipeline) -> None:
    encoder = load_encoder("bert", SETTINGS)[0]
    model = make_model(run_id=pipeline.run_id, source=Source("bluehouse"), window=WINDOW, tokenizer=TOKENIZER)
    ids = [f"bluehouse:{number}" for number in range(1, len(TITLES) + 1)]
    with pipeline.engine.begin() as conn:
        write_topic_model(conn, model, make_topics(), [], ids, make_shares(len(ids)))
        publishing.publish(conn, model.model_id, [encoder], at=AT)


def read_provenance(pipeline: Pipeline, petition_id: str) -> dict:
    with pipeline.engine.begin() as conn:
        conn.execute(text("SET LOCAL ROLE petition_reader"))
        query = text("SELECT * FROM petitions.petition_provenance WHERE petition_id = :id")
        return dict(conn.execute(query, {"id": petition_id}).mappings().one())


def test_one_query_leads_to_run_fit_encoder_versions_and_raw_answer(pipeline):
    row = read_provenance(pipeline, "bluehouse:2")
    version = describe_tokenizer()
    assert (row["run_id"], row["model_id"], row["engine"]) == (pipeline.run_id, "fit-1", "gensim-4.4.0")
    assert row["encoder"] == load_encoder("bert", SETTINGS)[0]
    assert [row[name] for name in ("tokenizer", "tagger", "dictionary", "stop_words")] == [
        version.tokenizer,
        version.tagger,
        version.dictionary,
        version.stop_words,
    ]
    assert row["content_hash"] == row["tokens_of"] == row["embedding_of"]
    assert f"{row['raw_file']}#{row['raw_offset']}" == row["raw_answer"]
    assert row["is_in_fit"]


def test_a_row_is_made_again_from_what_its_provenance_names(pipeline):
    row = read_provenance(pipeline, "bluehouse:2")
    answer = Archive(pipeline.artifacts).read_answer(row["raw_answer"])
    site = open_site(Source("bluehouse"), WINDOW, SETTINGS, AT.date())
    again = normalize_petition(read_detail(site, answer, site.find_petition(answer.url), row["raw_answer"]))
    stored = text("""
        SELECT p.title, p.purpose, p.body, p.content_hash, p.category, p.n_agreements, p.begins_on, p.ends_on, p.url
        FROM petitions.petition AS p WHERE p.petition_id = :id
    """)
    made = text("""
        SELECT t.tokens, e.embedding::text AS embedding
        FROM petitions.petition_tokens AS t JOIN petitions.petition_embedding AS e USING (petition_id)
        WHERE t.petition_id = :id AND t.tokenizer = :tokenizer AND e.encoder = :encoder
    """)
    keys = {"id": row["petition_id"], "tokenizer": row["tokenizer"], "encoder": row["encoder"]}
    with pipeline.engine.connect() as conn:
        facts = dict(conn.execute(stored, keys).mappings().one())
        tokens, embedding = conn.execute(made, keys).one()
    assert {name: getattr(again, name) for name in facts} == facts
    assert "[전화번호]" in again.body
    item = PetitionText(
        petition_id=again.petition_id,
        content_hash=again.content_hash,
        title=again.title,
        purpose=again.purpose,
        body=again.body,
    )
    assert Tokenizer().tokenize(item.whole) == tokens
    assert tokens
    name, embed = load_encoder("bert", SETTINGS)
    assert name == row["encoder"]
    # The last bits depend on what else was in the batch.
    np.testing.assert_allclose(embed([item.whole])[0], np.fromstring(embedding[1:-1], sep=","), atol=1e-5)


def test_what_an_older_version_of_the_code_made_has_no_versions_of_its_tokenizer(pipeline):
    with pipeline.engine.begin() as conn:
        conn.execute(text("DELETE FROM petitions.tokenizer_version"))
    row = read_provenance(pipeline, "bluehouse:1")
    assert (row["tokenizer"], row["tagger"], row["stop_words"]) == (TOKENIZER, None, None)
    pipeline.tokenize()
    assert read_provenance(pipeline, "bluehouse:1")["stop_words"] == describe_tokenizer().stop_words


def test_a_tokenizer_that_is_known_writes_no_row(conn):
    assert record_tokenizer(conn, describe_tokenizer()) == Counts(inserted=1)
    assert record_tokenizer(conn, describe_tokenizer()) == Counts(unchanged=1)
