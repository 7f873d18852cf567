"""Answers that models wrote, in the table and the report of an evaluation: the worst of them, and why they are."""

from typing import Any

from hornbook.core import report as html
from hornbook.evaluate.task import Outcome

SAID = (
    *("strict", "flexible", "exact", "pass@1", "pass@10", "pass@100"),
    *("bleu_acc", "rouge1_acc", "rouge2_acc", "rougeL_acc", "rep4", "words"),
)  # metrics in the order of the table
SHOWN = 6  # answers of a task
LONGEST = 3000  # characters of a prompt: its end is where the question is


def unscored(scores: dict[str, Any]) -> bool:
    """Whether a task has answers and no score of its own."""
    return "words" in scores


def worst(items: list[Outcome]) -> list[str]:
    """The worst answers: the question as the model saw it, what it wrote, what was expected, and the verdict."""
    asked = sorted((one for one in items if "written" in one.detail), key=_goodness)
    shown: list[str] = []
    for one in asked[:SHOWN]:
        prompt, written = str(one.detail.get("read", one.detail["prompt"])), str(one.detail["written"])
        cut = prompt if len(prompt) <= LONGEST else "..." + prompt[-LONGEST:]
        shown += [html.heading(f"{one.id}: {verdict(one)}"), html.sample(cut, written or "(nothing)"), *_expected(one)]
    told = "in bold what the model read, then what it wrote"
    return [html.fold(f"the {len(asked[:SHOWN])} worst of {len(asked):,} answers; {told}", *shown)] if asked else []


def _goodness(one: Outcome) -> tuple[float, ...]:
    """Where an answer stands: without a score, empty ones are worst, then those that repeat themselves."""
    metrics = one.metrics
    if unscored(dict(metrics)):
        return float(bool(metrics["words"])), -metrics["rep4"], metrics["words"]
    return next(iter(metrics.values())), sum(metrics.values())


def verdict(one: Outcome) -> str:
    """What is thought of an answer, in words."""
    metrics = one.metrics
    lost = "; it lost the beginning of its context" if one.detail.get("truncated") else ""
    if unscored(dict(metrics)):
        again = f", {metrics['rep4']:.0%} of its runs of four words were there before" if metrics["words"] else ""
        return f"{metrics['words']:.0f} words{again}{lost}"
    name, first = next(iter(metrics.items()))
    short = "right" if first == 1 else "wrong" if not first else f"{name} {first:.2f}"
    return f"{short}: {why(one)}{lost}"


def why(one: Outcome) -> str:
    """Why an answer is right or wrong."""
    if "found" not in one.detail:
        return str(one.detail.get("why", "it says no more"))
    said = ", ".join(
        f"{name} finds nothing" if found is None else f"{name} finds {found!r}"
        for name, found in one.detail["found"].items()
    )
    return f"right is {one.detail['answer']!r}; {said}"


def _expected(one: Outcome) -> list[str]:
    """What would have been right: one answer, or one of several, or tests that pass."""
    if "tests" in one.detail:
        return [html.text("Expected: code that passes"), html.code(str(one.detail["tests"]).strip())]
    right = one.detail.get("answer", one.detail.get("references"))
    if right is None:
        return [html.text("Expected: nothing in particular; judges and people say how good it is.")]
    said = right if isinstance(right, str) else " / ".join(map(str, right))
    return [html.text(f"Expected: {said}")]


def lost(cut: int) -> str:
    """What is said of questions that were too long."""
    return f"{cut:,} question{'s' * (cut > 1)} lost the beginning of the context to fit the model's window"
