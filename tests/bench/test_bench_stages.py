import importlib
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "bench"))

import peers  # noqa: E402
from run import FULL, QUICK, find_error, load_stages  # noqa: E402


@pytest.mark.parametrize("name", load_stages())
def test_each_contestant_has_its_code_and_its_environment(name: str) -> None:
    stage = load_stages()[name]
    makers = importlib.import_module(f"stages.{stage.module}").MAKERS
    assert stage.contestants[0].environment == "ours"
    for item in stage.contestants:
        assert item.maker in makers
        assert item.environment in ("ours", *peers.ENVIRONMENTS)


def test_the_quick_run_is_a_part_of_the_full_one() -> None:
    assert load_stages(QUICK).keys() < load_stages(FULL).keys()


def test_the_error_of_a_process_is_the_line_that_names_it() -> None:
    said = (
        "Traceback\n  File\nsqlalchemy.exc.ProgrammingError: no such type\n(Background on this error at: https://…)\n"
    )
    assert find_error(said) == "sqlalchemy.exc.ProgrammingError: no such type"
    assert find_error("") == ""
