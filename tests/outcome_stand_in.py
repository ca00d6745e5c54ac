"""The stand-in for the Assembly in this process, whose petitions are formed, referred and decided as its clock goes on.

    with run_outcomes(ASSEMBLY_DATA / "2020-01_2024-07.jsonl", today="2024-04-01", needed=5_000) as site:
        site.control("clock", today="2024-05-01")
        site.course(source_id)           # when it is formed, referred and decided; None where it never is

A petition is formed on the day on which its agreements reach `needed`, referred one to three weeks later, and decided
20 to 60 days after that: some days of its own, the same at each run. Skips the test where ../shared is absent.
"""

import hashlib
import importlib.util
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stand_in import SERVE, StandIn

RESULTS = (("ALTRV_DSUSE", "대안반영폐기"), ("CMIT_DSUSE", "본회의불부의"), ("WTHDRAW", "위원회접수후철회"))
COMMITTEES = (("9700006", "법제사법위원회"), ("9700341", "보건복지위원회"), ("9700300", "교육위원회"))


@dataclass(frozen=True, slots=True)
class Course:
    """The days on which a petition is formed, referred and decided."""

    formed_on: date
    referred_on: date
    decided_on: date
    result: tuple[str, str]
    committee: tuple[str, str]
    is_process_end: bool


@dataclass(frozen=True, slots=True)
class OutcomeSite(StandIn):
    """A running stand-in, and the petitions behind it."""

    replica: Any

    def course(self, source_id: str) -> Course | None:
        return self.replica.course(self.replica.by_id[source_id])


@contextmanager
def run_outcomes(*data: Path, today: str, needed: int) -> Iterator[OutcomeSite]:
    for path in (SERVE, *data):
        if not path.exists():
            pytest.skip(f"{path} is absent: the stand-in for the sites needs it")
    serve = _load_serve()
    replica = _make_replica(serve, needed)(serve.read(data, 1, 0), date.fromisoformat(today), 0)

    class Handler(serve.Handler):  # type: ignore[name-defined, misc]
        pass

    Handler.replica = replica
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield OutcomeSite(f"http://127.0.0.1:{server.server_address[1]}", replica)
    finally:
        server.shutdown()
        server.server_close()


def _load_serve() -> ModuleType:
    spec = importlib.util.spec_from_file_location("replica_serve", SERVE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _make_replica(serve: ModuleType, needed: int) -> type:
    class Outcomes(serve.Assembly):  # type: ignore[name-defined, misc]
        """The Assembly with a course of its own for each petition that reaches `needed`."""

        def course(self, row: dict[str, Any]) -> Course | None:
            if row["num_agree"] < needed:
                return None
            die = int(hashlib.sha256(row["id"].encode()).hexdigest(), 16)
            begin = date.fromisoformat(row["begin"])
            formed_on = begin + timedelta(days=math.ceil(needed * serve.OPEN_DAYS / row["num_agree"]) - 1)
            referred_on = formed_on + timedelta(days=7 + die % 14)
            decided_on = referred_on + timedelta(days=20 + die // 14 % 41)
            result, committee = RESULTS[die % len(RESULTS)], COMMITTEES[die // 3 % len(COMMITTEES)]
            return Course(formed_on, referred_on, decided_on, result, committee, die // 7 % 2 == 0)

        def record(self, row: dict[str, Any], detail: bool = False) -> dict[str, Any]:
            course = self.course(row)
            record: dict[str, Any] = super().record(row, detail) | {"mtzNmpr": needed}
            if course is None or self.today < course.formed_on:
                return record
            said = {"sttusCode": "PETIT_FORMATN", "resultCode": None, "resultCodeNm": None, "billId": None}
            said |= {"jrsdCmitCode": None, "jrsdCmitNm": None, "jdgmnStepCode": None}
            if self.today >= course.referred_on:
                halfway = course.referred_on + (course.decided_on - course.referred_on) / 2
                said |= {"sttusCode": "CMIT_FRWRD", "resultCode": "CMIT_JDGING", "resultCodeNm": "위원회심사"}
                said |= {"billId": f"PRC_{row['id'][:26]}", "jdgmnStepCode": "JS0001"}
                said |= dict(zip(("jrsdCmitCode", "jrsdCmitNm"), course.committee, strict=True))
                said |= {"jdgmnStepCode": "JS0003"} if self.today >= halfway else {}
            if self.today >= course.decided_on:
                said |= dict(zip(("resultCode", "resultCodeNm"), course.result, strict=True))
                said |= {"petitEndDt": f"{course.decided_on} 15:00:00"}
                said |= {"sttusCode": "PROCESS_END"} if course.is_process_end else {}
            return record | said

    return Outcomes
