"""The sub-app over the real Postgres, signed in by a stand-in."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, make_url, text

from browsed import HOSTILE
from invented import BERT, MONDAY, make_petitions, write_all, write_checks
from petitions.records import Source, Status
from petitions.store.database import open_engine
from petitions.store.publishing import publish
from rows import write_words

# Seen on the last day, and all but a-002 two days before; since then a-004 has gained ten.
SEEN = """
    INSERT INTO petitions.petition_agreement (petition_id, seen_on, n_agreements)
    SELECT petition_id, DATE '2024-06-29', CASE petition_id WHEN 'sample:a-004' THEN 2 ELSE n_agreements END
    FROM petitions.petition WHERE petition_id <> 'sample:a-002'
    UNION ALL SELECT petition_id, DATE '2024-07-01', n_agreements FROM petitions.petition
"""


@pytest.fixture(scope="module")
def browsed_database(postgres_url: str, migrated: str) -> Iterator[str]:
    """160 petitions, all with 신호등; every tenth has 건널목 too, and another category, every second has ended."""
    name = f"search_page_{os.getpid()}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name} TEMPLATE {migrated}"))
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    petitions = [
        replace(
            petition,
            category="보건" if number % 10 == 5 else petition.category,
            status=Status.ENDED if number % 2 else Status.OPEN,
        )
        for number, petition in enumerate(make_petitions(160), start=1)
    ]
    petitions[0] = replace(
        petitions[0], title=HOSTILE, body=f"<b>{'긴 글 ' * 200}</b> 신호등 <script>alert(2)</script>"
    )
    engine = open_engine(url)
    with engine.begin() as conn:
        write_all(conn, petitions)
        write_words(conn, Source("sample"), [["신호등"]] * 4 + [["건널목", "신호등"]] + [["신호등"]] * 5)
        publish(conn, "fit-1", [BERT], at=MONDAY)
        conn.execute(text(SEEN))
        write_checks(conn, "fit-1", [BERT], failed="tokens_missing")
        conn.execute(
            text(
                "INSERT INTO petitions.pipeline_step"
                " (run_id, step, part, n_parts, state, started_at, finished_at, rows_in, rows_out, seconds)"
                " SELECT run_id, 'encode bert', part, 2, 'done', now(), now(), 700, 600, 1.25"
                " FROM petitions.pipeline_run CROSS JOIN generate_series(1, 2) AS part"
            )
        )
    engine.dispose()
    yield url
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def ask(browsed_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """What asks the sub-app, as one who is signed in."""
    monkeypatch.setenv("PETITIONS_DATABASE_URL", browsed_database)
    monkeypatch.setenv("PETITIONS_ARTIFACTS", str(tmp_path))
    monkeypatch.setenv("PETITIONS_SOURCE", "sample")
    from airflow.api_fastapi.core_api.security import get_user
    from topic_browser import queries
    from topic_browser.app import create_app

    queries._kept.clear()
    app = create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace()
    with TestClient(app) as client:
        yield client
