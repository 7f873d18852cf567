"""The quality step: a score for every document, and three rules about what stays."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.corpus.document import Document
from hornbook.corpus.quality import AtLeast, ParetoDraw, Quality, ScoreOnly
from hornbook.corpus.quality_features import BUCKETS, matrix
from hornbook.corpus.quality_model import Judge, Measured


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Likes what has the word good."""
    weights = np.zeros(BUCKETS, np.float32)
    weights[matrix(["good"]).buckets] = 5
    Judge(weights, -1.0, 1.0, 0.0, Measured(1, 1, 1.0, [])).save(tmp_path / "judge")
    return tmp_path / "judge"


def test_scores_are_written_and_the_unlikely_dropped(model: Path) -> None:
    documents = [Document("a", "good good", "s", metadata={"x": "1"}), Document("b", "other words", "s")]
    step = Quality(model=model).build()
    result = step(documents)
    assert [each.id for each in result.kept] == ["a"]
    assert float(result.kept[0].metadata["quality"]) > 0.5
    assert result.kept[0].metadata["x"] == "1"
    ((dropped, reason),) = result.dropped
    assert (dropped.metadata["quality"], reason) == ("0.2689", "low quality")  # 1 / (1 + e)
    assert len(Quality(model=model, rule=ScoreOnly())(documents).kept) == 2
    assert len(Quality(model=model, rule=AtLeast(probability=0))(documents).kept) == 2
    assert pickle.loads(pickle.dumps(Quality(model=model)))(documents) == result


def test_the_lot_is_that_of_numpy_and_the_same_for_the_same_text() -> None:
    """GPT-3's rule in its own words, on as many draws."""
    rule = ParetoDraw()
    for score in (0.2, 0.6, 0.95):
        kept = np.mean([rule.keeps(score, f"text {number}") for number in range(20_000)])
        wanted = np.mean(np.random.default_rng(0).pareto(9, 200_000) > 1 - score)
        assert kept == pytest.approx(wanted, abs=0.012)
    assert len({rule.keeps(0.6, "a text") for _ in range(5)}) == 1
    assert all(rule.keeps(1.0, f"text {number}") for number in range(100))


def test_a_recipe_says_the_rule(model: Path) -> None:
    step = recipe.parse(Quality, {"model": str(model), "rule": {"type": "pareto_draw", "alpha": 3}})
    assert step.rule == ParetoDraw(alpha=3)
    assert recipe.parse(Quality, {"model": str(model), "rule": "score_only"}).rule == ScoreOnly()


def test_mistakes_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no quality model"):
        Quality(model=tmp_path / "none").build()
    with pytest.raises(ValueError, match="between 0 and 1"):
        AtLeast(probability=50)
    with pytest.raises(ValueError, match="above 0"):
        ParetoDraw(alpha=0)
