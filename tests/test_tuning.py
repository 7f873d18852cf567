"""Stages in order: what each starts from, what it is made from, when it is run again, and what is left out."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hornbook.console import Console
from hornbook.core.errors import RecipeError
from hornbook.core.run import Run
from hornbook.journal import Journal
from hornbook.settings import Tuning
from hornbook.tune.place import LeftOut, Place
from hornbook.tuning import Stages, identity, score_lines


@dataclass(frozen=True, kw_only=True)
class Count:
    """Makes a row that says which model it was given and how often it was run."""

    start: str | None = None
    source: str | None = None
    empty: bool = False

    def files(self, place: Place) -> list[Path]:
        return [] if self.source is None else [place.file(self.source)]

    def make(self, place: Place) -> None:
        if self.empty:
            raise LeftOut("there is nothing to count")
        count = place.run.folder.parent / f"{place.run.folder.name}.count"
        count.write_text("x" + (count.read_text() if count.exists() else ""))
        place.run.rows.write_text(json.dumps({"base": str(place.base), "seed": place.seed}) + "\n")


@dataclass
class Runner:
    folder: Path
    base: Path
    said: list[str] = field(default_factory=list)

    def go(self, **stages: Count) -> None:
        run, console = Run(self.folder), Console()
        console.note = self.said.append  # type: ignore[method-assign]
        recipe = Tuning(base=str(self.base), stages=stages)  # type: ignore[arg-type]  # a stage of the tests
        Stages(recipe, run, Journal(run, self.said.append), console, []).all()

    def runs(self, name: str) -> int:
        return len((self.folder / f"{name}.count").read_text())


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    return Runner(tmp_path / "run", base)


def test_rows_of_one_stage_are_read_by_the_next_and_nothing_is_made_twice(runner: Runner) -> None:
    stages = {"first": Count(), "second": Count(source="stage:first")}
    runner.go(**stages)
    runner.go(**stages)
    assert (runner.runs("first"), runner.runs("second")) == (1, 1)
    assert f"first      unchanged, {runner.folder / 'first' / 'rows.jsonl'}" in runner.said
    assert json.loads((runner.folder / "first" / "rows.jsonl").read_text())["base"] == str(runner.base)


def test_what_stands_on_something_that_changed_is_made_anew(runner: Runner, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text("1\n")
    stages = {"first": Count(source=str(source)), "second": Count()}
    runner.go(**stages)
    source.write_text("2\n")
    runner.go(**stages)
    assert (runner.runs("first"), runner.runs("second")) == (2, 2)
    (runner.base / "config.json").write_text('{"other": 1}')
    runner.go(**stages)
    assert (runner.runs("first"), runner.runs("second")) == (3, 3)
    assert any("begun from something else, so it begins anew" in line for line in runner.said)


def test_what_a_kill_left_is_gone_on_with(runner: Runner) -> None:
    runner.go(first=Count())
    journal = runner.folder / "stages.json"
    journal.unlink()
    kept = runner.folder / "first" / "half.json"
    kept.write_text("{}")
    runner.go(first=Count())
    assert kept.exists()
    assert not any("begins anew" in line for line in runner.said)


def test_a_stage_with_nothing_to_do_is_left_out_and_the_next_goes_on(runner: Runner) -> None:
    runner.go(first=Count(empty=True), second=Count())
    assert "first      left out: there is nothing to count" in runner.said
    assert runner.runs("second") == 1


def test_a_stage_that_is_not_before_it_is_no_start(runner: Runner) -> None:
    with pytest.raises(RecipeError, match=r"stages.second.start: 'third' is no stage before it; take base, first"):
        runner.go(first=Count(start="base"), second=Count(start="third"), third=Count())


def test_a_model_is_told_from_another_without_reading_it(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_text("abc")
    assert identity(tmp_path / "a.gguf") == identity(tmp_path)
    before = identity(tmp_path)
    (tmp_path / "a.gguf").write_text("abcd")
    assert identity(tmp_path) != before


def test_scores_are_said_with_their_interval() -> None:
    scores = {"reward": {"value": 0.5, "interval": [0.25, 0.75], "of": 1200}, "loss": {"value": 2}, "curve": [1, 2]}
    assert score_lines(scores) == ["reward 0.500 (0.250 to 0.750) of 1,200", "loss 2.000"]
