"""`hornbook classify`: the label of a text, by any classifier."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

ModelPath = Annotated[str, typer.Argument(metavar="MODEL", help="the folder or hub id of a classifier, or its run")]


def classify(
    model: ModelPath,
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="texts; - reads lines of standard input")],
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="a JSON object a text, with every label's probability")
    ] = False,
) -> None:
    """The label of a text and its probability, by a classifier of your own or a public one.

    Example: hornbook classify runs/finetune/classify/spam/model "You have won a prize!"
    """
    import hornbook

    rows = [row for text in texts for row in (_lines() if text == "-" else [text])]
    lm = hornbook.load(_classifier(model))
    for row, found in zip(rows, lm.classify(rows), strict=True):
        if jsonl:
            told = {"text": row, "label": found.label, "probability": found.probability}
            print(json.dumps(told | {"probabilities": found.probabilities}, ensure_ascii=False))
        else:
            print(f"{found.label}  {found.probability:.3f}" + (f"  {_short(row)}" if len(rows) > 1 else ""))


def _lines() -> list[str]:
    """The lines of standard input that say something."""
    return [line for line in sys.stdin.read().splitlines() if line.strip()]


def _short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def _classifier(model: str) -> str:
    """A path; of a run the newest classifier, which a language model beside it would hide."""
    from hornbook.core.files import read_json

    journal = Path(model) / "stages.json"
    stages = read_json(journal) if journal.is_file() else {}
    made = [name for name, entry in stages.items() if entry.get("keeps") == "classifier"]
    return str(Path(model) / made[-1] / "model") if made else model
