"""A judge on disk: what is loaded judges as what was saved; what is broken is said."""

from pathlib import Path

import numpy as np
import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.quality_features import BUCKETS
from hornbook.corpus.quality_model import Judge, Measured, load


def judge() -> Judge:
    weights = np.random.default_rng(0).normal(size=BUCKETS).astype(np.float32)
    return Judge(weights, 0.25, 1.5, -0.5, Measured(100, 90, 0.9, [(0.0, 4, 0.03, 0.0)]))


def test_round_trip(tmp_path: Path) -> None:
    made = judge()
    made.save(tmp_path / "judge")
    loaded = load(tmp_path / "judge")
    assert np.array_equal(loaded(["a text", "一篇文章"]), made(["a text", "一篇文章"]))
    assert loaded.measured == made.measured
    assert sum(path.stat().st_size for path in (tmp_path / "judge").iterdir()) < 1_200_000
    assert load(tmp_path / "judge") is loaded


def test_a_new_one_in_the_same_place_is_read(tmp_path: Path) -> None:
    made = judge()
    made.save(tmp_path / "judge")
    before = load(tmp_path / "judge")(["a text"])
    Judge(-made.weights, 0.0, 1.0, 0.0, made.measured).save(tmp_path / "judge")
    assert load(tmp_path / "judge")(["a text"]) != before


@pytest.mark.parametrize("broken", ["weights.npz", "quality.json"])
def test_what_is_broken_is_said(broken: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no quality model; make one with `hornbook corpus train-quality"):
        load(tmp_path)
    judge().save(tmp_path / "judge")
    (tmp_path / "judge" / broken).write_text("{}")
    with pytest.raises(UserError, match="train it again"):
        load(tmp_path / "judge")
