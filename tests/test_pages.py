"""The pages whose code runs: every Python block, from top to bottom, with the names of the blocks above it."""

import re
from pathlib import Path

import pytest
import torch

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ["decoding.md", "decoding.zh.md", "optimizers.md", "optimizers.zh.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page: str) -> None:
    torch.manual_seed(0)
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert len(blocks) >= 4
    names: dict[str, object] = {}
    for number, code in enumerate(blocks):
        exec(compile(code, f"{page}, block {number + 1}", "exec"), names)


@pytest.mark.parametrize("page", ["decoding", "optimizers"])
def test_both_languages_run_the_same_code(page: str) -> None:
    def code(name: str) -> list[str]:
        text = (DOCS / name).read_text(encoding="utf-8")
        return [re.sub(r" *#.*", "", block) for block in BLOCK.findall(text)]

    assert code(f"{page}.md") == code(f"{page}.zh.md")
