"""Curves of a run: which rows count, smoothing, and sentences that say what the numbers say."""

import json
import math
from pathlib import Path

import pytest

from hornbook import curves
from hornbook.curves import Curves


def made(losses: list[float], held_out: list[float]) -> Curves:
    """A stage of these losses, the held-out ones evenly spread; a step is 1,000 tokens and a second."""
    steps = [
        {"step": i, "tokens": 1000 * i, "seconds": float(i), "loss": loss, "lr": 0.01 / i}
        | {"tokens_per_second": 900 + i, "mfu": 0.5}
        for i, loss in enumerate(losses, 1)
    ]  # fmt: skip
    every = max(1, len(losses) // max(1, len(held_out) - 1))
    looks = [
        {"step": i * every, "tokens": 1000 * i * every, "seconds": float(i * every), "validation_loss": loss}
        for i, loss in enumerate(held_out)
    ]
    return Curves(steps, looks)


def test_rows_are_told_apart_and_a_cut_line_is_forgiven(tmp_path: Path) -> None:
    rows = [{"step": 0, "validation_loss": 8.0}, {"step": 1, "loss": 7.0, "tokens": 10}, {"step": 2, "loss": math.nan}]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"step": 3, "lo')
    found = Curves.read(tmp_path)
    assert (len(found.steps), len(found.validations)) == (2, 1)
    assert found.points("step", "loss") == [(1, 7)]
    assert found.last("validation_loss") == 8
    assert found.median("loss") == 7
    assert found.last("mfu") is None
    assert Curves.read(tmp_path / "absent") == Curves()


def test_smoothing_keeps_a_level_and_follows_a_fall() -> None:
    level = [(i, 3.0) for i in range(500)]
    assert curves.smooth(level) == level
    fall = [(i, math.exp(-i / 20)) for i in range(500)]
    assert max(abs(a - b) for (_, a), (_, b) in zip(fall, curves.smooth(fall), strict=True)) < 0.05
    noisy = [(i, (-1.0) ** i) for i in range(500)]
    assert max(abs(y) for _, y in curves.smooth(noisy)[100:]) < 0.15


def test_the_sentences_say_what_the_numbers_say() -> None:
    stage = made([8 - 0.05 * i for i in range(100)], [8, 5, 3.5, 3.1, 3.0])
    assert curves.loss_sentence(stage) == "Held-out loss fell from 8.00 to 3.00 in 100k tokens"
    assert curves.time_sentence(stage) == "Nine tenths of the way took 50s of 1m40s"
    assert curves.speed_sentence(stage) == "950 tokens a second, 50% of the machine's matrix-product peak"
    assert curves.rate_sentence(stage) == "The learning rate rose to 1.0e-2 and is 1.0e-4 at the end"


def test_learning_by_heart_is_called_by_its_name() -> None:
    said = curves.loss_sentence(made([1.0] * 100, [8, 5, 4, 4.5, 5.5]))
    assert said.startswith("Held-out loss was best, 4.00, after 50k tokens and is 5.50 now")


@pytest.mark.parametrize("held_out", [[], [8.0]])
def test_without_held_out_text_the_training_loss_is_told(held_out: list[float]) -> None:
    assert curves.loss_sentence(made([2.0] * 10, held_out)) == "The training loss is 2.00 after 10k tokens"


def test_figures_of_a_stage_at_every_moment() -> None:
    assert curves.figures(Curves()) == ["", "", "", ""]
    assert all("<svg" in part for part in curves.figures(made([3.0], [])))
    assert all("<svg" in part for part in curves.figures(made([3.0, 2.0], [4.0, 2.0])))
