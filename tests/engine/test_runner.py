"""What of `make test-engine` can be held without an engine; the rest is the run itself."""

import os
import re
import subprocess
import sys

import pytest
import yaml
from base_images import read_bases
from engine_host import NoEngineError, start_engine
from installation import HERE, ROOT, read_commands


def test_the_documented_commands_are_found():
    backup, restore = (read_commands("Backup and restore", number, "other") for number in (0, 1))
    assert backup.startswith("for name in airflow petitions; do\n") and "-v other_artifacts:/artifacts:ro" in backup
    assert restore.startswith("python3 deploy/make_secrets.py") and restore.endswith("petitions doctor")
    rotation = read_commands("Secrets and their rotation", 0, "other").splitlines()
    assert rotation[0].startswith("docker compose stop") and rotation[-1].endswith("--force-recreate")
    for commands in (backup, restore):
        assert subprocess.run(["bash", "-n", "-c", commands]).returncode == 0


def test_there_is_a_stand_in_for_each_base():
    bases = read_bases()
    made = re.findall(r"^FROM \S+ AS (\w+)$", (HERE / "bases" / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert bases.keys() == {"debian", *made} - {"wheels"}
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
    assert {compose["services"][name]["image"] for name in ("postgres", "redis")} <= set(bases.values())


def test_who_cannot_start_an_engine_is_told_why(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoEngineError, match="only root can start one"):
        start_engine("unix:///nowhere")


def test_the_door_to_the_site_hands_on_both_ways():
    site = """
import socket
with socket.create_server(("127.0.0.1", 8601)) as server, server.accept()[0] as client:
    client.sendall(client.recv(9).upper())
"""
    ask = """
import socket, sys, time
for _ in range(100):
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as door:
            door.sendall(b"petition")
            if answer := door.recv(9):
                print(answer.decode())
                break
    except OSError:
        pass
    time.sleep(0.1)
"""
    with subprocess.Popen([sys.executable, HERE / "site_door.py", "18600", sys.executable, "-c", site]) as door:
        told = subprocess.run([sys.executable, "-c", ask, "18600"], capture_output=True, text=True, timeout=60)
        assert told.stdout == "PETITION\n"
        assert door.wait(10) == 0
