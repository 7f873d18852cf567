"""Results of judges beside those of benchmarks, and what is counted."""

import json
from pathlib import Path

import pytest

from hornbook.evaluate import evaluation, verdicts
from hornbook.evaluate.heard import UNREAD, Heard
from hornbook.evaluate.task import Outcome

GOOD = Outcome("1", "math", {"score": 4.0}, {"words": "well"})
BAD = Outcome("2", "law", {"score": 1.0}, {"empty": True})
LOST = Outcome("3", "law", {}, {"left_out": UNREAD})
HEARD = [Heard(4.0, "well", 1), Heard(None, "?", 2, UNREAD)]


def test_a_summary_says_what_was_left_out() -> None:
    found = verdicts.summary([GOOD, BAD, LOST], HEARD)
    assert found["score"]["value"] == 2.5
    assert found["score"]["of"] == 2
    assert (found["left_out"], found["empty"], found["replies"]) == (1, 1, {UNREAD: 1, "asked twice": 1})
    assert found["subjects"]["math"]["score"]["value"] == 4


def test_nothing_that_was_said_is_no_score() -> None:
    found = verdicts.summary([LOST])
    assert "score" not in found
    assert found["left_out"] == 1


def test_judges_and_benchmarks_keep_each_others_results(tmp_path: Path) -> None:
    found = verdicts.summary([GOOD, LOST])
    verdicts.write(tmp_path, "score by x/y", [GOOD, LOST], found)
    evaluation.write(tmp_path, "arc", [Outcome("1", "", {"acc": 1.0})], about={"model": "m"})
    verdicts.write(tmp_path, "pairwise by x", [GOOD], {})
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["about"] == {"model": "m"}
    assert list(results["tasks"]) == ["arc"]
    assert list(results["judged"]) == ["score by x/y", "pairwise by x"]
    assert verdicts.read(tmp_path, "score by x/y") == [GOOD, LOST]


def test_two_models_are_compared_on_what_both_have() -> None:
    ours = [Outcome(str(n), "", {"yes": float(n % 4 > 0)}) for n in range(40)] + [LOST]
    theirs = [Outcome(str(n), "", {"yes": float(n % 4 == 1)}) for n in range(40)]
    found = verdicts.against(ours, theirs, ("m", "n"))
    assert found["of"] == 40
    assert found["value"] == pytest.approx(0.5)
    assert found["test"] == "McNemar"
    assert found["sentence"].startswith("m is better than n by 0.500")
    assert verdicts.against([LOST], theirs, ("m", "n")) == {}
