"""Whatever comes in, a parser gives a record that holds together or a ParseError: nothing else, and no title in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_answers import SIZE, make_hostile_answers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import READERS, SEEDS, mask, read_assembly_detail, read_bluehouse_detail

from invented_pages import assembly_row, bluehouse_list, bluehouse_page
from petitions.records import Petition

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent
FEW = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # beside other tests it is
)
MANY = settings(
    max_examples=3_000,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

SIGNS = st.sampled_from(
    [
        *"<>&;\"'=/!-?[]{},:\\ \n\t\0\ufeff\u200b\u202e\u3164",
        "<b>",
        "</div>",
        "<br/>",
        "<!--",
        "-->",
        "<script>",
        "</script>",
    ]
    + [
        "<div class='View_write'>",
        "&amp;",
        "&lt;",
        "&#0;",
        "&#xD800;",
        "가로등",
        "1,234",
        "2019-08-01",
        "비공개",
        "010-1234-5678",
    ]
)
WRITTEN = st.lists(SIGNS | st.text(max_size=5), max_size=12).map("".join)
DAYS = st.dates().map(str) | st.dates().map("{} 00:00:00".format) | WRITTEN
COUNTS = st.integers() | st.integers(0, 10**12).map("{:,}".format) | st.floats() | WRITTEN
VALUES = st.recursive(
    st.none() | st.booleans() | COUNTS | WRITTEN | st.characters().map("\ud800{}".format),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WRITTEN, inner, max_size=3),
    max_leaves=5,
)
CHANGED = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(assembly_row(), VALUES),
        **dict.fromkeys(("petitSj", "petitCn", "petitObjet"), WRITTEN),
        **dict.fromkeys(("agreBeginDe", "agreEndDe"), DAYS),
        "agreCo": COUNTS,
    },
)
DROPPED = st.sets(st.sampled_from(sorted(assembly_row())), max_size=2)


@st.composite
def assembly_answers(draw):
    row = assembly_row(**draw(CHANGED))
    for key in draw(DROPPED):
        row.pop(key)
    return json.dumps(row, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@st.composite
def bluehouse_pages(draw):
    texts = draw(
        st.fixed_dictionaries({}, optional=dict.fromkeys(("title", "body", "word", "category", "head"), WRITTEN))
    )
    days = draw(st.fixed_dictionaries({}, optional={"begin": DAYS, "end": DAYS, "count": COUNTS.map(str)}))
    page = bluehouse_page(**texts, **days, is_answered=draw(st.booleans())).decode()
    lines = page.split("\n")
    for _ in range(draw(st.integers(0, 2))):  # drop a line, double it, or put another one in
        place = draw(st.integers(0, len(lines) - 1))
        lines[place : place + 1] = draw(st.sampled_from([[], [lines[place]] * 2, [lines[place], draw(WRITTEN)]]))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@st.composite
def cut_and_joined(draw, answers):
    """Two true answers, cut anywhere and joined, with bytes in between."""
    first, second = draw(st.sampled_from(answers)), draw(st.sampled_from(answers))
    return (
        first[: draw(st.integers(0, len(first)))]
        + draw(st.binary(max_size=9))
        + second[draw(st.integers(0, len(second))) :]
    )


@pytest.mark.parametrize("reader", READERS)
@FEW
@given(st.data())
def test_any_bytes_give_a_record_or_a_parse_error(reader, data):
    READERS[reader](data.draw(st.binary(max_size=60) | cut_and_joined(SEEDS[reader])))


@FEW
@given(assembly_answers())
def test_any_change_of_an_assembly_answer_gives_a_record_or_a_parse_error(answer):
    read_assembly_detail(answer)
    READERS["assembly_list"](b"[" + answer + b"]")


@FEW
@given(bluehouse_pages())
def test_any_change_of_a_bluehouse_page_gives_a_record_or_a_parse_error(page):
    read_bluehouse_detail(page)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
@MANY
@given(st.data())
def test_many_bytes_give_a_record_or_a_parse_error(reader, data):
    READERS[reader](data.draw(st.binary(max_size=200) | cut_and_joined(SEEDS[reader])))


@pytest.mark.slow
@MANY
@given(assembly_answers(), bluehouse_pages())
def test_many_changed_answers_give_a_record_or_a_parse_error(answer, page):
    read_assembly_detail(answer)
    READERS["assembly_list"](b"[" + answer + b"," + answer + b"]")
    READERS["bluehouse_list"](bluehouse_list("1").replace(b"}]", b"}," + answer + b"]"))
    read_bluehouse_detail(page)
    mask(answer)
    mask(page)


def test_the_seeds_of_the_details_are_read_whole():
    for reader in ("assembly_detail", "bluehouse_detail"):
        assert isinstance(READERS[reader](SEEDS[reader][0]), Petition)


@pytest.mark.slow
@pytest.mark.timeout(600)  # before the limits a single one of them took minutes; bench/parse_speed.py tells the times
def test_five_megabytes_made_to_be_slow_are_read_or_refused():
    for name, answer in make_hostile_answers():
        assert len(answer) < 4 * SIZE, name
        for reader, read in READERS.items():
            if reader != "mask":
                read(answer)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_the_coverage_guided_fuzzer_finds_nothing(reader, tmp_path):
    # No limit of memory: Linux counts the peak of this process, which started it, as that of the fuzzer.
    limits = ["-max_total_time=5", "-rss_limit_mb=0"]
    command = [sys.executable, str(FOLDER / "fuzz_parsers.py"), reader, "-seed=1", *limits]
    paths = [str(FOLDER), str(FOLDER.parent), str(FOLDER.parents[1] / "include")]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "Done " in done.stderr
