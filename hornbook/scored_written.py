"""Answers that models wrote, in the table and the report of an evaluation: which were wrong, and why."""

from typing import Any

from hornbook.core import report as html
from hornbook.evaluate.task import Outcome

SAID = (
    *("strict", "flexible", "exact", "pass@1", "pass@10", "pass@100"),
    *("bleu_acc", "rouge1_acc", "rouge2_acc", "rougeL_acc", "rep4", "words"),
)  # metrics in the order of the table
SHOWN = 6  # wrong answers of a task
LONGEST = 3000  # characters of a prompt: its end is where the question is


def unscored(scores: dict[str, Any]) -> bool:
    """Whether a task has answers and no score of its own."""
    return "words" in scores


def wrong(items: list[Outcome]) -> list[str]:
    """The first wrong answers with the prompt as the model saw it, what was found in them, and why that is wrong."""
    asked = [one for one in items if "written" in one.detail]
    if not asked or "words" in asked[0].metrics:
        return []
    missed = [one for one in asked if not next(iter(one.metrics.values()))]
    shown: list[str] = []
    for one in missed[:SHOWN]:
        prompt, written = str(one.detail["prompt"]), str(one.detail["written"])
        cut = prompt if len(prompt) <= LONGEST else "..." + prompt[-LONGEST:]
        shown += [html.text(f"{one.id}: {why(one)}"), html.sample(cut, written)]
    return [html.fold(f"{len(missed[:SHOWN])} of {len(missed):,} wrong answers, of {len(asked):,}", *shown)]


def why(one: Outcome) -> str:
    """Why an answer is wrong, in words."""
    if "found" not in one.detail:
        return str(one.detail.get("why", "wrong"))
    said = ", ".join(
        f"{name} finds nothing" if found is None else f"{name} finds {found!r}"
        for name, found in one.detail["found"].items()
    )
    return f"right is {one.detail['answer']!r}; {said}"
