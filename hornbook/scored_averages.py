"""Categories and subjects of a benchmark: their rows of the terminal's table, their part of the report."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from hornbook.core import report as html
from hornbook.core.chart import Axis, Bar, bars

SHARE = Axis(label="share", text=lambda value: f"{value:.0%}")
Row = tuple[str, list[dict[str, Any]]]  # what is averaged, and that of every model


def rows(metric: str, tasks: Sequence[dict[str, Any]]) -> list[Row]:
    """A metric's averages of one task: over subjects, then each category over its questions; {} where it has none."""
    averages = [task.get("averages", {}) for task in tasks]
    found: list[Row] = [("mean of subjects", [each.get("subjects", {}).get(metric, {}) for each in averages])]
    for name in dict.fromkeys(name for each in averages for name in each.get("categories", {})):
        parts = [each.get("categories", {}).get(name, {}) for each in averages]
        found.append((name, [part.get("questions", {}).get(metric, {}) for part in parts]))
    return [row for row in found if any(row[1])]


def section(scores: dict[str, Any], metric: str) -> list[str]:
    """The averages as a table and a chart, then the subjects, those of a category together, best first."""
    averages, subjects = scores.get("averages", {}), scores.get("subjects", {})
    if not subjects:
        return []
    by_name = {name: each[metric] for name, each in subjects.items()}
    categories = averages.get("categories", {})
    if not categories:
        return [*_table(scores, metric), _chart("", by_name)]
    named = {name: {subject: by_name[subject] for subject in part["asked"]} for name, part in categories.items()}
    rest = {name: each for name, each in by_name.items() if not any(name in some for some in named.values())}
    charts = [_chart(name, some) for name, some in [*named.items(), ("other subjects", rest)] if some]
    return [*_table(scores, metric), _overview(categories, metric), *charts]


def _table(scores: dict[str, Any], metric: str) -> list[str]:
    averages = scores.get("averages")
    if not averages:
        return []
    everything = ("all", scores[metric], averages["subjects"][metric], f"{len(scores['subjects'])}")
    parts = [
        (name, part["questions"][metric], part["subjects"][metric], f"{len(part['asked'])} of {part['has']}")
        for name, part in averages.get("categories", {}).items()
    ]
    cells = [(name, count, of["of"], _said(of), _said(mean)) for name, of, mean, count in (everything, *parts)]
    return [html.table((metric, "subjects", "questions", "over questions", "mean of subjects"), cells)]


def _said(score: dict[str, Any]) -> str:
    low, high = score["interval"]
    return f"{score['value']:.4f} ({low:.3f} to {high:.3f})"


def _overview(categories: dict[str, Any], metric: str) -> str:
    scores = {name: part["questions"][metric] for name, part in categories.items()}
    return _chart("Categories, over their questions", scores)


def _chart(name: str, scores: dict[str, Any]) -> str:
    """Bars, best first, under a sentence about the first and the last."""
    ordered = sorted(((key.replace("_", " "), each) for key, each in scores.items()), key=lambda row: -row[1]["value"])
    best, worst = ordered[0], ordered[-1]
    said = f"{name}: best" if name else "Best"
    said += f" at {best[0]} ({best[1]['value']:.0%})"
    said += f", worst at {worst[0]} ({worst[1]['value']:.0%})" if len(ordered) > 1 else ""
    return html.figure(said, partial(_drawn, ordered))


def _drawn(ordered: list[tuple[str, dict[str, Any]]], width: int) -> str:
    drawn = [Bar(name=name, value=each["value"], interval=tuple(each["interval"]), ours=True) for name, each in ordered]
    return bars(drawn, SHARE, most=1, width=width)
