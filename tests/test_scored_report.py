"""The report of an evaluation says what was found, and of two models only differences that are some."""

import json
import random
from pathlib import Path

from hornbook.evaluate import evaluation
from hornbook.evaluate.task import Outcome
from hornbook.scored_report import page


def outcome(number: int, share: float, *, right: bool) -> Outcome:
    detail = {"prompt": f"Question {number} <b>?", "choices": ["yes", "no"], "answer": 0, "given": 0 if right else 1}
    return Outcome(f"q:{number}", "law" if number % 2 else "history", {"acc": float(right)}, {**detail, "share": share})


def made(folder: Path, name: str, chance: float) -> Path:
    draw = random.Random(name)
    sure = [draw.uniform(0.5, 1.0) for _ in range(300)]
    some = [outcome(n, share, right=draw.random() < chance * share * 1.3) for n, share in enumerate(sure)]
    evaluation.write(folder / name, "quiz", some, about={})
    return folder / name


def test_the_page(tmp_path: Path) -> None:
    folders = {name: made(tmp_path, name, chance) for name, chance in (("weak", 0.5), ("strong", 0.9))}
    seen = page({name: json.loads((at / "results.json").read_text()) for name, at in folders.items()}, folders)
    assert "strong is better than weak by" in seen
    assert "Best at" in seen
    assert "Where it is sure it is right to within" in seen
    assert "it said &#x27;no&#x27; with" in seen
    assert "Question" in seen
    assert "<b>?" not in seen.replace("<b>Question", "")
    assert "http" not in seen
