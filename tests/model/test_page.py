"""The code on docs/model.md is what it says: it runs, top to bottom, and its assertions hold."""

import re
from pathlib import Path

import torch

PAGE = Path(__file__).parents[2] / "docs" / "model.md"


def test_the_page_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 10
    names: dict[str, object] = {}
    with torch.random.fork_rng():
        for number, block in enumerate(blocks, 1):
            exec(compile(block, f"{PAGE.name}, block {number}", "exec"), names)  # one page, one story


def test_files_and_recipes_named_on_the_page_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((\.\./[^)]*)\)", text):
        assert (PAGE.parent / link).exists(), link
    shown = re.search(r"# (hornbook/recipes/\S+)\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    file = (PAGE.parents[1] / shown[1]).read_text(encoding="utf-8")
    assert "".join(line for line in file.splitlines(keepends=True) if not line.startswith("#")) == shown[2]
