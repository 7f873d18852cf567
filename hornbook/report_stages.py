"""What a report says of the stages after the base model: which there are, and the scores each came to."""

from pathlib import Path
from typing import Any

from hornbook.core import recipe as recipes
from hornbook.core import report as html
from hornbook.core.chart import Axis, Bar, bars
from hornbook.core.files import read_json
from hornbook.core.run import Run


def names(run: Run) -> list[str]:
    """The stages of a run's recipe, in order."""
    recipe = recipes.read(run.recipe) if run.recipe.exists() else {}
    stages = recipe.get("stages") if isinstance(recipe, dict) else None
    return [name for name in stages or {} if run.stage(name).folder.is_dir()]


def scores(run: Run) -> list[str]:
    """A stage's scores: shares as bars with their intervals, everything else as a table."""
    found = {name: each for name, each in read(run.scores).items() if isinstance(each, dict)}
    single = {name: each for name, each in found.items() if "value" in each}
    shares = {name: each for name, each in single.items() if each.get("interval") and 0 <= each["value"] <= 1}
    parts = [html.figure(sentence(shares), lambda width: _bars(shares, width))] if shares else []
    rows = [(name, _value(each), _interval(each), each.get("of", "")) for name, each in single.items()]
    if rows:
        parts.append(html.table(("score", "value", "95 % interval", "of"), rows))
    return parts


def sentence(shares: dict[str, Any]) -> str:
    """The first share in words.

    >>> sentence({"accuracy": {"value": 0.93, "interval": [0.9, 0.95], "of": 300}})
    'accuracy: 93.0 %, on 300 held-out rows'
    """
    name, first = next(iter(shares.items()))
    of = f", on {first['of']:,} held-out rows" if first.get("of") else ""
    return f"{name}: {100 * first['value']:.1f} %{of}"


def _bars(shares: dict[str, Any], width: int) -> str:
    rows = [
        Bar(name=name, value=each["value"], interval=tuple(each["interval"]), ours=True)
        for name, each in shares.items()
    ]
    return bars(rows, Axis(label="share", text=lambda value: f"{value:.0%}"), most=1, width=width)


def _value(found: dict[str, Any]) -> str:
    return f"{found['value']:.3f}"


def _interval(found: dict[str, Any]) -> str:
    spread = found.get("interval")
    return f"{spread[0]:.3f} to {spread[1]:.3f}" if spread else ""


def read(path: Path) -> dict[str, Any]:
    """A JSON mapping; empty where the file is not there."""
    found = read_json(path) if path.exists() else {}
    return found if isinstance(found, dict) else {}
