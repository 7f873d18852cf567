"""The report of what is touched: shares are counted, the first documents named."""

import json
from pathlib import Path

import numpy as np

from hornbook.corpus.evaluation_items import Item
from hornbook.corpus.evaluation_report import NAMED, REPORT, Report, gather_items
from hornbook.corpus.evaluation_set import EvaluationSet, tokens


def test_shares_and_names(tmp_path: Path) -> None:
    rows = ["a b c d e", "v w x", "p q r s t", "a"]
    known = EvaluationSet([Item("f", row, (passage,)) for row, passage in enumerate(rows)], 2, 2)
    leaks = np.zeros(len(known.grams), bool)
    found = known.hits(tokens(["a b c"])).grams
    phrases = leaks.copy()
    leaks[found] = True
    phrases[known.hits(tokens(["d e, v w"])).grams] = True
    report = Report(known, leaks, phrases)
    for number in range(NAMED + 5):
        report.see(f"d{number}", found)
    report.write(tmp_path / "items.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    named = [f"d{number}" for number in range(NAMED)]
    assert lines == [
        {"file": "f", "row": 0, "share": 0.5, "common_share": 0.25, "documents": NAMED + 5, "first": named},
        {"file": "f", "row": 1, "share": 0.0, "common_share": 0.5, "documents": 0, "first": []},
        {"file": "f", "row": 3, "too_short": True},
    ]


def test_the_reports_of_two_steps_become_one(tmp_path: Path) -> None:
    gather_items(tmp_path, tmp_path)
    assert not (tmp_path / REPORT).exists()
    for stage in ("stage-0", "stage-1"):
        (tmp_path / stage).mkdir()
        (tmp_path / stage / REPORT).write_text(f"{stage}\n")
    gather_items(tmp_path, tmp_path)
    assert (tmp_path / REPORT).read_text() == "stage-0\nstage-1\n"
