"""The table at the end, and who may write where."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.core.run import Run
from hornbook.corpus_run import print_ledger, run_corpus
from hornbook.corpus_state import open_corpus
from tests.made_up_corpus import make_corpus, write_recipe, write_sources


def test_the_table_says_what_each_step_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_ledger(open_corpus(make_corpus(tmp_path)).ledger)
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["normalise", "67", "67", "17kB", "17kB"] in rows
    assert next(row for row in rows if row[:2] == ["exact", "duplicates"])[2:4] == ["64", "63"]
    assert "too short 3" in out
    assert "web.jsonl:64: not a JSON object" in out


def test_two_do_not_write_to_one_folder(tmp_path: Path) -> None:
    web, _ = write_sources(tmp_path / "files")
    recipe = write_recipe(tmp_path)
    with Run(tmp_path / ".clean.lock").lock(), pytest.raises(UserError, match="is using this run"):
        run_corpus(str(recipe), [f"source=[{web}]"], out=tmp_path / "clean")
    assert run_corpus(str(recipe), [f"source=[{web}]"], out=tmp_path / "clean") == tmp_path / "clean"
    assert not (tmp_path / ".clean.lock").exists()
