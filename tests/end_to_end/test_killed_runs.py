"""Every step killed with SIGKILL at several of its statements, and run again: the rows of an undisturbed run."""

import signal
from pathlib import Path

import pytest
from doomed import Doomed, Ended
from sqlalchemy import text

from petitions.training.start_folder import write_start
from rows import read_all_rows
from stand_in import BLUEHOUSE_DATA, post_again, run_stand_in
from tiny_labels import THEMES, write_model

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
UNTIL, MONTHS, N_PETITIONS = "2019-09-01", 1, 120
N_COPIES = 8
N_LABELS = 3  # of each petition

# Where in the statements of a step it is killed: the first one, then shares of the whole.
STEPS = [
    ("crawl", (0.0, 0.3, 0.6, 1.0)),
    ("tokenize", (0.0, 0.5, 1.0)),
    ("find_copies", (0.0, 0.5, 0.8, 1.0)),
    ("fit_topics", (0.0, 0.5, 1.0)),
    ("plan_encode", (0.0, 0.7, 1.0)),
    ("encode_texts", (0.1, 0.35, 0.5, 0.65, 0.8, 0.98)),
    ("plan_encode", (0.5,)),  # with nothing left to do
    ("score", (0.2, 0.6, 0.9)),
    ("check", (0.0, 0.3, 0.6, 0.9, 1.0)),
    ("publish", (0.0, 0.5, 1.0)),
]


class Runner:
    """Runs steps in processes of their own against one database."""

    def __init__(self, url: str, site: str, artifacts: Path, scorer: str = "") -> None:
        named = {
            "PETITIONS_SCORERS": scorer,
            "PETITIONS_DATABASE_URL": url,
            "PETITIONS_BLUEHOUSE_URL": site,
            "PETITIONS_ARTIFACTS": str(artifacts),
            "PETITIONS_REQUESTS_PER_SECOND": "2000",
        }
        self._doomed = Doomed(named, artifacts.with_name(f"{artifacts.name}-told"))

    def run(self, step: str, fatal: int = 0) -> Ended:
        return self._doomed.run(step, fatal, "bluehouse", UNTIL, MONTHS)


@pytest.fixture
def few(tmp_path) -> Path:
    source = BLUEHOUSE_DATA / "2019-08.jsonl"
    if not source.exists():
        pytest.skip(f"{source} is absent: the run needs real petitions")
    path = tmp_path / "few.jsonl"
    lines = post_again(source.read_text(encoding="utf-8").splitlines()[:N_PETITIONS], N_COPIES)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def scorer(tmp_path) -> str:
    """The folder of a classifier that nobody trained."""
    (folder := tmp_path / "themes").mkdir()
    write_start(write_model(tmp_path / "teacher"), folder, list(THEMES), "")
    return str(folder)


def test_a_run_killed_in_every_step_ends_with_the_rows_of_an_undisturbed_run(few, new_database, tmp_path, scorer):
    calm, killed = new_database(), new_database()
    with run_stand_in("bluehouse", few, today=UNTIL) as site:
        undisturbed = Runner(calm.url.render_as_string(hide_password=False), site.url, tmp_path / "calm", scorer)
        disturbed = Runner(killed.url.render_as_string(hide_password=False), site.url, tmp_path / "killed", scorer)
        for step, places in STEPS:
            done = undisturbed.run(step)
            assert done.returncode == 0, f"{step}: {done.stderr[-3000:]}"
            n_statements = done.n_statements
            for place in places:
                fatal = max(1, round(place * n_statements))
                died = disturbed.run(step, fatal)
                assert died.returncode in (-signal.SIGKILL, 0), f"{step} at {fatal}: {died.stderr[-3000:]}"
            again = disturbed.run(step)
            assert again.returncode == 0, f"{step}: {again.stderr[-3000:]}"
    expected, found = read_all_rows(calm), read_all_rows(killed)
    for table in expected:
        assert found[table] == expected[table], table
    assert len(expected["petition"]) == N_PETITIONS
    assert len(expected["petition_copy"]) == N_COPIES
    assert len(expected["petition_label"]) == N_LABELS * N_PETITIONS
    with killed.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM petitions.current_topic")).scalar_one() == 9


def test_a_step_killed_at_its_first_statement_was_really_killed(few, new_database, tmp_path):
    engine = new_database()
    with run_stand_in("bluehouse", few, today=UNTIL) as site:
        died = Runner(engine.url.render_as_string(hide_password=False), site.url, tmp_path).run("crawl", fatal=1)
    assert died.returncode == -signal.SIGKILL
