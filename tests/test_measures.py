"""What is measured at the end: see test_objectives.py for whole runs."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from hornbook import measures
from hornbook.data.batches import Batch
from hornbook.measures import exact, share, task_line


def test_the_line_of_the_scores() -> None:
    shares = {"accuracy": {"share": 0.25, "interval": (0.2, 0.31), "of": 1200, "right": 300}}
    line = task_line({"rows": 64, "loss": 2.5, "shares": shares})
    assert line == "held out   loss 2.500 on 64 rows; accuracy 25.0% (20.0% to 31.0%) of 1,200"


def test_a_share_has_the_interval_of_its_trials() -> None:
    found = share(8.0, 10.0)
    assert (found["right"], found["of"], found["share"]) == (8, 10, 0.8)
    assert found["interval"] == pytest.approx((0.490, 0.943), abs=1e-3)


def test_an_answer_is_exact_when_every_token_is(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = torch.tensor([[1, 2, 9, -100], [3, 9, -100, -100], [4, 5, 6, 9]])  # 9 ends an answer
    batch = Batch(torch.zeros(3, 2, dtype=torch.int64), labels, decoder_input_ids=labels)
    source: Any = SimpleNamespace(batch=lambda first, rows: batch)
    monkeypatch.setattr(measures, "answers", lambda *_, **__: [[1, 2], [3, 3], [4, 5, 6]])
    assert exact(None, source, None, 3, 8)["right"] == 2  # type: ignore[arg-type]
