"""docs/tokenizer.md teaches by code: every block runs, in order, in both languages."""

import re
import shutil
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("tokenizer.md", "tokenizer.zh.md")
STORY = "the-verdict.txt"


def blocks(page: str) -> list[str]:
    """The Python of a page."""
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    ran = [block for block in blocks(page) if STORY not in block]
    for block in ran:
        exec(compile(block, page, "exec"), names)  # the page's own code is what is under test
    assert len(ran) >= 12


@pytest.mark.parametrize("page", PAGES)
def test_the_story_of_the_book(page: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(shared_data / "text" / "the-verdict" / STORY, tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    first, story = blocks(page)[:2]
    assert STORY in story
    exec(compile(first, page, "exec"), names)
    exec(compile(story, page, "exec"), names)
    assert len(names["vocabulary"]) == 1130


def test_both_languages_run_the_same_code() -> None:
    def code(page: str) -> list[str]:
        return [re.sub(r"\s*#.*", "", block) for block in blocks(page)]

    assert code("tokenizer.md") == code("tokenizer.zh.md")
