"""The hub is a local server here, with one model of one commit; the client is the real one."""

import hashlib
import http.server
import json
import logging
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from huggingface_hub import constants

from petitions.encoders.bert_encoder import load_bert
from petitions.encoders.model_files import fetch_model
from petitions.encoders.names import name_encoder
from petitions.encoders.registry import ENCODERS
from petitions.errors import FetchError, WeightsError
from petitions.settings import Settings

pytestmark = pytest.mark.slow  # the hub's library takes seconds

TINY = Path(__file__).parent / "golden/tiny-bert"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = urlsplit(self.path).path
        headers = {}
        if path == "/api/models/org/tiny/revision/main":
            files = [{"rfilename": file.name} for file in TINY.iterdir()]
            answer = json.dumps({"id": "org/tiny", "sha": COMMIT, "siblings": files}).encode()
        elif path == f"/api/models/org/tiny/tree/{COMMIT}":
            answer = json.dumps([self.describe(file) for file in TINY.iterdir()]).encode()
        elif path.startswith(f"/org/tiny/resolve/{COMMIT}/"):
            file = TINY / path.rsplit("/", 1)[1]
            answer, headers = file.read_bytes(), {"X-Repo-Commit": COMMIT, "ETag": f'"{self.describe(file)["oid"]}"'}
        elif path.startswith("/api/models/org/gated/"):
            return self.refuse(403, "GatedRepo")
        else:
            return self.refuse(404, "RevisionNotFound" if path.startswith("/api/models/org/tiny/") else "RepoNotFound")
        self.send_response(200)
        for name, value in (headers | {"Content-Length": str(len(answer))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(answer)
        return None

    def refuse(self, status, code):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def describe(self, file):
        digest = hashlib.sha1(file.read_bytes()).hexdigest()
        return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": digest}

    def log_message(self, *parts):
        pass


@pytest.fixture
def hub(monkeypatch, tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    yield server
    server.shutdown()
    server.server_close()


def test_a_hub_name_without_a_revision_gets_the_commit_into_its_name(hub):
    assert load_bert("org/tiny", "cpu").name == "org/tiny@0123456789ab"


def test_a_server_takes_what_a_worker_has_downloaded_under_the_same_name_and_downloads_nothing(hub):
    settings = Settings(bert_model="org/tiny", embedding_model=str(TINY))
    with pytest.raises(FetchError, match="org/tiny is no folder here, and was not downloaded here"):
        ENCODERS["bert"].load_questions(settings)
    assert not list(Path(constants.HF_HUB_CACHE).glob("models--*/snapshots/*"))
    assert ENCODERS["bert"].load(settings).name == ENCODERS["bert"].load_questions(settings)[0]


def test_a_downloaded_revision_serves_when_the_hub_is_gone(hub):
    online = fetch_model("org/tiny@main")
    hub.shutdown()
    hub.server_close()
    assert fetch_model("org/tiny@main") == online
    assert name_encoder(online) == "org/tiny@0123456789ab"
    with pytest.raises(FetchError, match="org/other is no folder here, and the model hub cannot be reached"):
        fetch_model("org/other")


@pytest.mark.parametrize(("model", "status"), [("org/none", 404), ("org/tiny@gone", 404), ("org/gated", 403)])
def test_a_model_or_revision_that_the_hub_does_not_give_is_named(hub, model, status):
    with pytest.raises(WeightsError, match=rf"{model} .*\({status}\)"):
        fetch_model(model)


def test_a_line_of_the_hubs_library_is_written_by_its_own_handler_alone(monkeypatch):
    handed_on, ours = [], logging.Handler()
    ours.emit = handed_on.append
    monkeypatch.setattr(logging.getLogger(), "handlers", [ours])
    logging.getLogger("huggingface_hub.utils._http").warning("Retrying in 1s")
    assert not handed_on
