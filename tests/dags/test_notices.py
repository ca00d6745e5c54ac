"""A real DAG run that fails, or is late: what a webhook and a mailbox on this machine get to read of it."""

import json
import logging
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TITLE = "지어낸 청원의 제목"
pytestmark = pytest.mark.slow

RUN = """
import asyncio
import pendulum
from airflow.sdk import dag, task
from petition_notices import NIGHT_DEADLINE, PetitionNotifier

@dag(schedule=None, start_date=pendulum.datetime(2026, 1, 1),
     params={"source": None, "until": "2026-07-01", "months": 3},
     default_args={"on_failure_callback": PetitionNotifier()}, deadline=NIGHT_DEADLINE)
def petition_night():
    @task
    def crawl():
        from petitions.errors import SiteChangedError
        raise SiteChangedError("3 of 9 answers are no petitions, limit 2 %\\nsecond line")

    @task
    def read_list():
        from petitions.errors import SiteChangedError
        from petitions.sources.bluehouse import open_site
        from petitions.records import Window
        site = open_site(base_url="https://site.test", window=Window.ending(pendulum.date(2026, 7, 1)), today=None)
        answer = '{"status": "ok", "item": [{"id": "1", "created": "TITLE"}]}'
        try:
            site.parse_list(answer.encode(), "https://site.test/list")
        except Exception as error:
            raise SiteChangedError(f"{error} (list open, page 1; raw answer: raw/a#1)")

    @task
    def tokenize():
        raise ValueError("could not read \\u300aTITLE\\u300b")

    @task
    def check():
        from petitions.errors import CheckFailedError
        from petitions.store.checks import CheckResult, tell_fault
        found = CheckResult(name="volume_against_published", value=0.31, limit="at least 0.5", passed=False)
        raise CheckFailedError(f"sample-2026-07-01-0123456789: {tell_fault(found)}")

    crawl(), tokenize(), read_list(), check()

night = petition_night()

async def fire(trigger):
    return [event.payload["state"] async for event in trigger.run()]

if __name__ == "__main__":
    night.test()

    from airflow.api_fastapi.core_api.datamodels.dag_run import DAGRunResponse
    from airflow.models import DagRun
    from airflow.triggers.callback import CallbackTrigger
    from airflow.utils.session import create_session
    with create_session() as session:
        run = DAGRunResponse.model_validate(session.query(DagRun).one()).model_dump(mode="json")
    context = {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2026-07-01T00:00:00+00:00"}}
    callback = NIGHT_DEADLINE.callback
    trigger = CallbackTrigger(callback.path, {**callback.kwargs, "context": context})
    print("@@", *asyncio.run(fire(trigger)))
""".replace("TITLE", TITLE)


class Webhook(BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.notices.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand over one letter after the other."""

    def handle(self) -> None:
        self.wfile.write(b"220 mailbox\r\n")
        for line in self.rfile:
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.letters.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


@contextmanager
def serve(server: socketserver.BaseServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def run_night(home: Path, **settings: str) -> str:
    script = home / "petition_night.py"
    script.write_text(RUN, encoding="utf-8")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PETITIONS_")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "PYTHONPATH": str(ROOT / "include"),
        **settings,
    }
    migrate = [str(Path(sys.executable).parent / "airflow"), "db", "migrate"]
    subprocess.run(migrate, env=environ, capture_output=True, check=True, timeout=300)
    done = subprocess.run([sys.executable, str(script)], env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> tuple[list[str], list[str], str]:
    """Texts posted and letters mailed of one run with four failed tasks and a deadline, and its log."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    site.notices, site.status = [], 200
    post = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)
    post.letters = []
    with serve(site) as http, serve(post) as smtp:
        log = run_night(
            tmp_path_factory.mktemp("airflow"),
            PETITIONS_NOTIFY_WEBHOOK=f"http://127.0.0.1:{http}/secret",
            PETITIONS_NOTIFY_EMAIL="night@example.org",
            PETITIONS_SOURCE="sample",
            AIRFLOW_CONN_SMTP_DEFAULT=json.dumps({
                "conn_type": "smtp", "host": "127.0.0.1", "port": smtp,
                "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.org"},
            }),
        )  # fmt: skip
    letters = [message_from_string(letter, policy=default) for letter in post.letters]
    bodies = [f"{letter['subject']}\n{letter['to']}\n{letter.get_body(('html',)).get_content()}" for letter in letters]
    return [notice["text"] for notice in site.notices], bodies, log


def test_a_failed_task_is_told_with_window_reason_and_link(night):
    told = next(text for text in night[0] if ".crawl" in text).splitlines()
    assert told[:3] == [
        "petition_night.crawl failed",
        "window: sample, 3 months until 2026-07-01",
        "reason: SiteChangedError: 3 of 9 answers are no petitions, limit 2 % second line",
    ]
    assert told[3].startswith("http://") and "/dags/petition_night/runs/" in told[3] and "crawl" in told[3]


def test_a_failed_check_is_told_by_its_name_value_and_limit(night):
    told = next(text for text in night[0] if ".check" in text).splitlines()
    assert told[1] == "window: sample, 3 months until 2026-07-01"
    assert told[2] == (
        "reason: CheckFailedError: sample-2026-07-01-0123456789: volume_against_published is 0.31, must be at least 0.5"
    )


def test_an_error_that_may_quote_a_petition_is_told_by_its_name_alone(night):
    told = next(text for text in night[0] if "tokenize" in text)
    assert "reason: ValueError, see the log" in told
    assert TITLE not in "".join(night[0] + night[1])


def test_what_was_found_in_an_answer_of_a_site_is_in_the_log_alone(night):
    told = next(text for text in night[0] if "read_list" in text)
    assert (
        "reason: SiteChangedError: https://site.test/list: item 0: key created: expected YYYY-MM-DD, found …\n" in told
    )
    assert TITLE in night[2]
    assert TITLE not in "".join(night[0] + night[1])


def test_a_late_night_is_told_by_the_triggers_own_callback(night):
    told = next(text for text in night[0] if "late" in text).splitlines()
    assert told[0] == "petition_night is late"
    assert told[2] == "reason: not done by 2026-07-01 09:00 in Seoul"
    assert "/dags/petition_night/runs/" in told[3]
    assert "success" in night[2].rsplit("@@", 1)[1]


def test_the_same_notices_go_by_mail(night):
    posted, mailed, _ = night
    assert len(mailed) == len(posted) == 5
    assert sorted(letter.splitlines()[0] for letter in mailed) == sorted(text.splitlines()[0] for text in posted)
    assert all("night@example.org" in letter for letter in mailed)


def test_a_webhook_that_refuses_is_named_without_its_address_and_the_mail_still_goes(monkeypatch, caplog):
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    import petition_notices

    from petitions.errors import FetchError

    site = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    site.notices, site.status = [], 503
    mailed = []
    monkeypatch.setattr(petition_notices, "_mail", lambda addresses, notice: mailed.append(addresses))
    monkeypatch.setenv("PETITIONS_NOTIFY_EMAIL", "night@example.org")
    with serve(site) as port:
        monkeypatch.setenv("PETITIONS_NOTIFY_WEBHOOK", f"http://127.0.0.1:{port}/secret")
        with caplog.at_level(logging.DEBUG), pytest.raises(FetchError) as caught:
            petition_notices.send_notice(petition_notices.Notice(subject="s", text="t"))
    assert str(caught.value) == "the webhook answers with status 503"
    assert "secret" not in caplog.text  # urllib3 logs what it asks for, at DEBUG
    assert logging.getLogger("urllib3.connectionpool").filters == []
    assert mailed == ["night@example.org"]
