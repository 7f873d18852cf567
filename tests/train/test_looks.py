"""Looks come when they are due and at the end; their rows say where in the run they were made."""

from pathlib import Path

from hornbook.core.run import Log
from hornbook.train.config import Questions, Train
from hornbook.train.looks import Looks
from tests.train.doubles import Ears, job

SCORE = {"metric": "acc", "value": 0.5, "standard_error": 0.1, "interval": [0.3, 0.7], "of": 20}


class Hearing(Ears):
    def sampled(self, rows):
        self.samples = rows


def test_rows_of_what_is_written_and_of_what_is_answered(tmp_path: Path) -> None:
    config = Train(steps=9, sample_every=2, evaluate_every=3, questions=Questions(tasks=("arc_easy",)))
    asked = job(sample=lambda model: [{"prompt": "a", "text": "b"}], ask=lambda: {"arc_easy": SCORE})
    metrics, samples, ears = Log(tmp_path / "metrics.jsonl"), Log(tmp_path / "samples.jsonl"), Hearing()
    looks = Looks(config, asked, metrics, samples, ears)
    asked.model.train()
    for step in range(1, 8):
        looks({"step": step, "tokens": 10 * step, "seconds": 0.1}, last=step == 7)
    assert [row["step"] for row in samples.rows()] == [2, 4, 6, 7]
    assert samples.rows()[0] == {"step": 2, "tokens": 20, "prompt": "a", "text": "b"}
    assert [row["step"] for row in metrics.rows()] == [3, 6, 7]
    assert metrics.rows()[0] == {"step": 3, "tokens": 30, "seconds": 0.1, "scores": {"arc_easy": SCORE}}
    assert ears.notes == ["         arc_easy 50.0% (30% to 70%)"] * 3
    assert not asked.model.training
    assert ears.samples == [{"step": 7, "tokens": 70, "prompt": "a", "text": "b"}]
