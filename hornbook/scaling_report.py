"""The page of a ladder: what its law says, where it was wrong, and the curves that show it, from the folder's files."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hornbook.console import short
from hornbook.core.chart import Axis, Line, lines
from hornbook.core.files import read_json, write_text
from hornbook.core.report import Section, figure, page, table, text
from hornbook.core.run import Log, Row
from hornbook.plan.fit import Trained
from hornbook.plan.laws import FLOPS, Law

DRAWN = 60  # points of a curve
BUDGETS = 4  # isoFLOP curves
SHOWN = 1.3  # times the best loss: how far up the sides of a valley
BEYOND = 3.0  # times: how far curves go to both sides of the runs
SIZE = Axis(label="parameters", text=short, log=True)
LOSS = Axis(label="held-out loss, nats per token", text=lambda value: f"{value:.2f}")


def write_scaling_report(folder: Path) -> Path:
    """FOLDER/index.html, from fit.json, ladder.jsonl and predictions.jsonl beside it."""
    found = read_json(folder / "fit.json")
    law = Law(**{name: found["law"][name] for name in ("E", "A", "B", "alpha", "beta")})
    runs = [Trained(**row) for row in found["runs"]]
    predictions = newest(Log(folder / "predictions.jsonl").rows())
    sections = [_law(found, law), _parametric(law, runs, predictions), _isoflops(found, law, runs, predictions)]
    sections += [_predictions(predictions), _rungs(Log(folder / "ladder.jsonl").rows())]
    lead = (
        f"L = {law.E:.3f} + {law.A:.4g} / N^{law.alpha:.3f} + {law.B:.4g} / D^{law.beta:.3f}: nats per held-out token "
        f"for N parameters and D tokens, within {found['worst']:.1%} of each of {len(runs)} runs"
    )
    facts = [("runs", len(runs)), ("largest", short(max(run.parameters for run in runs)))]
    facts += [("predicted within", f"{abs(row['error']):.1%}") for row in predictions if "error" in row][:1]
    path = folder / "index.html"
    write_text(path, page(f"What size buys: {folder.name}", lead, facts, sections, "fit.json, ladder.jsonl: the data"))
    return path


def newest(rows: Sequence[Row]) -> list[Row]:
    """The last word on each predicted run."""
    return list({(row["parameters"], row["tokens"]): row for row in rows}.values())


def _law(found: dict[str, Any], law: Law) -> Section:
    """The five numbers; an interval that is wide says that the runs cannot tell."""
    meaning = {
        "E": "nats per token that no size and no text removes",
        "A": "weight of the size",
        "alpha": "each doubling of N divides its part by 2^alpha",
        "B": "weight of the tokens",
        "beta": "each doubling of D divides its part by 2^beta",
        "size_exponent": "a of N_best = G (C/6)^a",
    }
    rows = [
        (name.replace("_", " "), *(f"{value:.4g}" for value in (getattr(law, name), *found["intervals"][name])), said)
        for name, said in meaning.items()
    ]
    return Section("The law").add(
        text("Huber on log losses, as Hoffmann et al. 2022; intervals: 95 % of a bootstrap over the runs."),
        table(("number", "value", "from", "to", "meaning"), rows),
    )


def _parametric(law: Law, runs: Sequence[Trained], predictions: Sequence[Row]) -> Section:
    """Loss over size, a curve for each number of tokens."""
    tokens = sorted({run.tokens for run in runs} | {float(row["tokens"]) for row in predictions})
    low, high = _span([run.parameters for run in runs] + [row["parameters"] for row in predictions], 1.5)
    curves = []
    for place, amount in enumerate(tokens):
        name = f"{short(amount)} tokens"
        curves.append(Line(name=name, points=_curve(law, low, high, tokens=amount), colour=place))
        dots = [(run.parameters, run.loss) for run in runs if run.tokens == amount]
        dots += [
            (row["parameters"], row["measured"]) for row in predictions if row["tokens"] == amount and measured(row)
        ]
        curves.append(Line(name=name, points=dots, colour=place, dots=True))
    worst = max(abs(law.loss(run.parameters, run.tokens) / run.loss - 1) for run in runs)
    answer = f"The law (lines) holds every run (dots) of the ladder within {worst:.1%}"
    if checked := [row for row in predictions if measured(row)]:
        row = checked[-1]
        answer += f", and foretold {short(row['parameters'])} parameters on {short(row['tokens'])} tokens"
        answer += f" with an error of {abs(row['error']):.1%}"
    return Section("Size and tokens").add(
        figure(answer, lambda width: lines(curves, SIZE, LOSS, width=width), data="fit.json, predictions.jsonl")
    )


def _isoflops(found: dict[str, Any], law: Law, runs: Sequence[Trained], predictions: Sequence[Row]) -> Section:
    """Loss over size, a curve for each budget of operations, with the best size of each."""
    flops = [FLOPS * run.parameters * run.tokens for run in runs]
    flops += [FLOPS * row["parameters"] * row["tokens"] for row in predictions]
    budgets = [float(f"{each:.0e}") for each in _spaced(min(flops), max(flops), BUDGETS)]
    low, high = _span([run.parameters for run in runs], BEYOND)
    curves = []
    for place, budget in enumerate(budgets):
        best = law.best(budget)
        assert best.loss is not None, "a law says a loss"
        valley = [point for point in _curve(law, low, high, flops=budget) if point[1] < SHOWN * best.loss]
        curves.append(Line(name=f"{budget:.0e} FLOPs", points=valley, colour=place))
        if low <= best.parameters <= high:
            curves.append(Line(name="best", points=[(best.parameters, best.loss)], colour=place, dots=True))
    low_a, high_a = found["intervals"]["size_exponent"]
    best = law.best(budgets[-1])
    answer = (
        f"With {budgets[-1]:.0e} FLOPs, {short(best.parameters)} parameters on {short(best.tokens)} tokens are best; "
        f"the best size grows as C^{law.size_exponent:.2f} ({low_a:.2f} to {high_a:.2f})"
    )
    return Section("A budget's best size").add(
        figure(answer, lambda width: lines(curves, SIZE, LOSS, width=width), data="fit.json")
    )


def _predictions(rows: Sequence[Row]) -> Section:
    """What was foretold, and what came of it."""
    cells = [
        (row["parameters"], row["tokens"], row["loss"], *row["interval"], row.get("measured"), _percent(row))
        for row in rows
    ]
    return Section("Predictions").add(
        table(("parameters", "tokens", "predicted loss", "from", "to", "measured", "error"), cells)
    )


def _rungs(rows: Sequence[Row]) -> Section:
    columns = ("parameters", "tokens", "dim", "layers", "loss", "passes", "processor_seconds")
    return Section("The runs").add(
        table([name.replace("_", " ") for name in columns], [[row[name] for name in columns] for row in rows])
    )


def measured(row: Row) -> bool:
    """Whether a predicted run was trained."""
    return "measured" in row


def _percent(row: Row) -> str:
    return f"{row['error']:+.2%}" if measured(row) else ""


def _curve(
    law: Law, low: float, high: float, *, tokens: float | None = None, flops: float = 0.0
) -> list[tuple[float, float]]:
    """Loss over size at so many tokens, or at so many operations."""
    return [(size, law.loss(size, tokens or flops / FLOPS / size)) for size in _spaced(low, high, DRAWN)]


def _span(values: Sequence[float], beyond: float) -> tuple[float, float]:
    return min(values) / beyond, max(values) * beyond


def _spaced(low: float, high: float, amount: int) -> list[float]:
    """Even steps on a log axis.

    >>> [round(value) for value in _spaced(1, 1000, 4)]
    [1, 10, 100, 1000]
    """
    step = math.log(high / low) / (amount - 1)
    return [low * math.exp(step * place) for place in range(amount)]
