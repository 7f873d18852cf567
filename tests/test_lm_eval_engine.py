"""lm-evaluation-harness as the engine of `hornbook evaluate`: what it says becomes our items."""

import sys

import pytest

from hornbook.core.errors import UserError
from hornbook.lm_eval_engine import harness, outcomes


def test_without_the_harness_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(UserError, match=r"lm-eval is not installed; `pip install hornbook\[eval\]`"):
        harness()


def test_numbers_of_the_first_filter_become_items() -> None:
    sample = {
        "doc_id": 3,
        "metrics": ["acc", "words"],
        "acc": 1.0,
        "words": (2.0, 5),
        "arguments": [("Q:", " a"), ("Q:", " b")],
        "target": 0,
        "filtered_resps": [(-1.0, True), (-2.0, False)],
    }
    (one,) = outcomes([sample, {**sample, "acc": 0.0}])
    assert (one.id, one.metrics, one.detail["prompt"]) == ("3", {"acc": 1.0}, "Q:")
