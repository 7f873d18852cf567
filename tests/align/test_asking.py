"""A run killed at any moment and begun again asks what is left and ends in the same rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hornbook.align.asking import GROUP, JOURNAL, ask_all, write_rows


class Asked:
    def __init__(self, lives: int) -> None:
        self.lives, self.firsts = lives, []

    def __call__(self, items: Sequence[int], first: int) -> list[dict[str, Any]]:
        if self.lives == 0:
            raise KeyboardInterrupt
        self.lives -= 1
        self.firsts.append(first)
        return [{"item": item, "first": first} for item in items]


def test_killed_and_again(tmp_path: Path) -> None:
    items, told = list(range(3 * GROUP + 5)), []
    journal = tmp_path / JOURNAL
    whole = list(ask_all(items, Asked(99), tmp_path / "calm.jsonl", progress=lambda _: None))
    assert [row["item"] for row in whole] == items
    for lives in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            list(ask_all(items, Asked(lives), journal, progress=told.append))
        journal.write_bytes(journal.read_bytes() + b'{"rows": [{"it')  # cut short by the kill
    last = Asked(99)
    assert list(ask_all(items, last, journal, progress=told.append)) == whole
    assert last.firsts == [3 * GROUP]
    assert told == [GROUP, 2 * GROUP, 3 * GROUP, len(items)]
    nobody = Asked(0)
    assert list(ask_all(items, nobody, journal, progress=told.append)) == whole


def test_rows_in_any_script(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [{"a": "你好"}])
    assert (tmp_path / "rows.jsonl").read_text(encoding="utf-8") == '{"a": "你好"}\n'
