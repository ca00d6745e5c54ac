"""Where the crawl benches work: a Postgres server of their own, fresh databases on it, and folders for archives."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

from petitions.crawl.archive import Archive
from petitions.store.artifacts import ArtifactStore
from petitions.store.database import open_engine, upgrade
from petitions.store.embedded import start_server, stop_server

Ground = tuple[Engine, Archive]


@contextmanager
def open_ground() -> Iterator[Callable[[], Ground]]:
    """Make a migrated database and an empty archive at each call; all are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="bench", dir="/tmp") as folder:
        server, numbers, engines = Path(folder) / "postgres", count(1), list[Engine]()
        url = make_url(start_server(server))

        def make() -> Ground:
            name = f"bench_{next(numbers)}"
            admin = create_engine(url, isolation_level="AUTOCOMMIT")
            with admin.connect() as conn:
                conn.execute(text(f"CREATE DATABASE {name}"))
            admin.dispose()
            engines.append(open_engine(url.set(database=name).render_as_string(hide_password=False)))
            upgrade(engines[-1])
            return engines[-1], Archive(ArtifactStore(f"{folder}/{name}"))

        try:
            yield make
        finally:
            for engine in engines:
                engine.dispose()
            stop_server(server)
