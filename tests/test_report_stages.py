"""The part of a report that tells of the stages after the base model."""

import json
from pathlib import Path

from hornbook.core.run import Run
from hornbook.report_stages import names, read, scores


def test_stages_are_named_in_the_order_of_the_recipe_and_only_those_that_ran(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("base: x\nstages:\n  second: {}\n  first: {}\n  third: {}\n")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    assert names(Run(tmp_path)) == ["second", "first"]
    assert names(Run(tmp_path / "first")) == []


def test_shares_are_drawn_and_every_value_is_in_the_table(tmp_path: Path) -> None:
    found = {"accuracy": {"value": 0.5, "interval": [0.4, 0.6], "of": 100}, "loss": {"value": 2.5}, "confusion": [[1]]}
    (tmp_path / "scores.json").write_text(json.dumps(found))
    picture, table = scores(Run(tmp_path))
    assert "accuracy: 50.0 %, on 100 held-out rows" in picture
    assert all(text in table for text in ("0.400 to 0.600", "2.500", "100"))
    assert scores(Run(tmp_path / "none")) == []
    assert read(tmp_path / "none.json") == {}
