"""What the files say of the project's habits: the commit's hooks are CI's, each decision is in the index."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def read_recipe(target: str) -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (recipe,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    return [line.strip() for line in recipe.splitlines()]


def test_the_hooks_before_a_commit_are_what_make_lint_runs():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repo,) = config["repos"]
    assert repo["repo"] == "local", "nothing is fetched"
    assert {(hook["language"], hook["pass_filenames"]) for hook in repo["hooks"]} == {("system", False)}
    entries = [hook["entry"].removeprefix("env PYTHONPATH=include ") for hook in repo["hooks"]]
    assert [entry.removeprefix(".venv/bin/") for entry in entries] == read_recipe("lint")


def test_make_test_is_one_run():
    recipe = read_recipe("test")
    assert len(recipe) == 1 and recipe[0].count("pytest") == 1
    assert "rerun" not in recipe[0] and "last-failed" not in recipe[0]


def test_what_is_built_from_source_is_built_by_what_is_pinned():
    install, _ = (line for line in read_recipe(".venv/installed") if line.startswith("uv pip install"))
    assert "--require-hashes" in install and "--build-constraints requirements.txt" in install
    assert re.search(r"^setuptools==", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_each_decision_is_a_page_and_a_row_of_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md") if path.name != "README.md"}
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == set(pages)
    for name, page in pages.items():
        assert page.count("\n") <= 40, name
        assert re.findall(r"^\*\*(Context|Decision|Measured|Consequences)\b", page, re.MULTILINE) == [
            "Context", "Decision", "Measured", "Consequences",
        ], name  # fmt: skip
