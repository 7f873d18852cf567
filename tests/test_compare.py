"""Runs side by side: the verdict by hand, the figures, the keys that differ, and what cannot be compared."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from hornbook import compare
from hornbook.core.chart import Line
from hornbook.core.errors import UserError

FakeRun = Callable[..., Path]


def test_two_runs_in_one_picture_and_their_figures(
    fake_run: FakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [fake_run(tmp_path / "fast"), fake_run(tmp_path / "slow", lr=0.01, seed=1)]
    page = compare.compare_runs(runs, tmp_path / "out" / "both.html").read_text(encoding="utf-8")
    printed = capsys.readouterr().out
    assert ">fast</text>" in page
    assert ">slow</text>" in page
    assert "fast ended lowest, at 1.185, 0.045 below the next: bits per byte, held out." in page
    assert "For the same time, fast is lowest" in page
    assert "pretrain.optimizer.lr" in page
    assert [line.split() for line in printed.splitlines() if "pretrain.optimizer.lr" in line] == [
        ["pretrain.optimizer.lr", "0.02", "0.01"]
    ]
    rows = list(csv.DictReader((tmp_path / "out" / "both.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 2 * (400 + 21)
    assert {row["run"] for row in rows} == {"fast", "slow"}


def test_runs_of_the_same_name_are_told_apart(fake_run: FakeRun, tmp_path: Path) -> None:
    runs = [fake_run(tmp_path / "a" / "demo"), fake_run(tmp_path / "b" / "demo")]
    assert compare.names(runs) == ["a/demo", "b/demo"]


def test_equal_recipes_have_no_differing_keys(fake_run: FakeRun, tmp_path: Path) -> None:
    runs = [fake_run(tmp_path / "a"), fake_run(tmp_path / "b")]
    assert compare.differences(runs) == []
    (runs[1] / "recipe.yaml").write_text("seed: 0\nnew: 1\n")
    assert compare.differences(runs) == [
        ("pretrain.optimizer.type", "muon", "not set"),
        ("pretrain.optimizer.lr", "0.02", "not set"),
        ("stages.instruct.type", "instruct", "not set"),
        ("new", "not set", "1"),
    ]


def test_a_curve_is_straight_between_its_points() -> None:
    curve = Line(name="", points=[(0, 4.0), (2, 2.0), (10, 1.0)])
    assert [compare.at(curve, x) for x in (0, 1, 2, 6, 10, 99)] == [4.0, 3.0, 2.0, 1.5, 1.0, 1.0]


def test_what_cannot_be_compared_is_refused(fake_run: FakeRun, tmp_path: Path) -> None:
    run = fake_run(tmp_path / "demo")
    with pytest.raises(UserError, match="demo: is named twice"):
        compare.compare_runs([run, run], tmp_path / "c.html")
    with pytest.raises(UserError, match=r"nothing: has no metrics\.jsonl with steps in it"):
        compare.compare_runs([run, tmp_path / "nothing"], tmp_path / "c.html")
