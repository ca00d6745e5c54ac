"""What the documents promise: each link leads somewhere, and each command can be read as it stands."""

import re
import shlex
from collections.abc import Iterator
from itertools import groupby, takewhile
from pathlib import Path

import click
import pytest

from petitions.cli import main
from readme_lines import NOT_RUN, RUN, find_lines, list_lines

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md", "bench/*.md", "include/petitions/models/*/*.md")
    for path in ROOT.glob(pattern)
)
BLOCK = re.compile(r"^```(?:bash|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"-?\d[\d,.]*\d|\d")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def list_slugs(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def list_commands(page: Path, program: str) -> Iterator[list[str]]:
    """The words of each call of a program in the blocks of shell commands, settings before it left out."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
            words.whitespace_split = True
            for is_operator, call in groupby(words, lambda word: set(word) <= set("|&;<>")):
                found = [word for word in call if not re.match(r"[A-Z_]+=.*\Z", word)]
                if not is_operator and found[:1] == [program]:
                    yield found[1:]


def parse(command: click.Command, words: list[str]) -> None:
    """Read the words of a command as its call would, without calling it."""
    if isinstance(command, click.Group):
        own = list(takewhile(lambda word: word.startswith("-"), words))
        _, found, rest = command.resolve_command(click.Context(command), words[len(own) :])
        assert found
        parse(found, rest)
    elif "--help" not in words:
        command.make_context(command.name, list(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_to_a_file_and_a_heading(page):
    for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{target} of {page.name}"
        assert not heading or path.suffix != ".md" or heading in list_slugs(path), f"{target}#{heading} of {page.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_can_be_read_as_it_stands(page):
    for words in list_commands(page, "petitions"):
        try:
            parse(main, words)
        except click.BadParameter as error:
            assert "does not exist" in error.message, f"petitions {shlex.join(words)}: {error.message}"
        except click.UsageError as error:
            pytest.fail(f"petitions {shlex.join(words)}: {error.message}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_target_of_make_is_there(page):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in list_commands(page, "make"):
        assert set(words) <= targets, f"make {shlex.join(words)} of {page.name}"


def test_a_command_that_is_not_there_would_be_found():
    with pytest.raises(click.NoSuchOption):
        parse(main, ["search", "--nearest", "학교"])
    with pytest.raises(click.UsageError, match="No such command"):
        parse(main, ["serch", "학교"])


def test_both_readmes_show_the_same_code_links_and_figures():
    english, korean = (
        read_contents((ROOT / name).read_text(encoding="utf-8")) for name in ("README.md", "README.ko.md")
    )
    assert korean == english


def test_a_readme_that_lacks_something_would_be_found():
    whole = "# A\n\n[b](docs/b.md)\n\n| c | 1.5 |\n\n```bash\nmake demo  # what for\n```\n"
    assert read_contents(whole.replace("what for", "무엇")) == read_contents(whole)
    for part in ("# A", "docs/b.md", "1.5", "make demo"):
        assert read_contents(whole.replace(part, "")) != read_contents(whole)


def read_contents(page):
    """What a page in another language has as well: headings, code without comments, links, and figures of tables."""
    blocks = re.findall(r"```\w*\n(.*?)```", page, re.DOTALL)
    text = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    return {
        "levels": re.findall(r"^#+(?= )", text, re.MULTILINE),
        "code": [re.sub(r"\s+# .*", "", line).rstrip() for block in blocks for line in block.splitlines()],
        "links": set(re.findall(r"\]\(([^)\s]+)\)", text)) - {"README.md", "README.ko.md"},
        "figures": [sorted(FIGURE.findall(line)) for line in re.findall(r"^\|.*", text, re.MULTILINE)],
    }


def test_each_command_of_the_readme_is_run_or_it_is_told_why_not():
    for line in list_lines():
        assert len([words for words in (*RUN, *NOT_RUN) if line.startswith(words)]) == 1, line
    for words, test in RUN.items():
        assert re.search(rf"""find_lines\(["']{re.escape(words)}["']\)""", (ROOT / test).read_text(encoding="utf-8"))
    assert all(map(find_lines, NOT_RUN))
