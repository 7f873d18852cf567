"""Several runs side by side: their curves in one picture, their figures and the recipe keys that differ in tables."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.console import short, span
from hornbook.core import report as html
from hornbook.core import source
from hornbook.core.chart import Axis, Line, Point, lines
from hornbook.core.errors import UserError
from hornbook.core.files import write_text
from hornbook.core.report import Section
from hornbook.core.run import Run
from hornbook.core.table import print_table
from hornbook.curves import LOSS, TIME, TOKENS, Curves, smooth
from hornbook.report import said
from hornbook.report_stages import read

COLUMNS = ("run", "parameters", "tokens", "time", "tok/s", "loss", "held out", "bits/byte")
ABSENT = "not set"
BITS = Axis(label="bits per byte, held out", text=lambda value: f"{value:.3g}")


@dataclass(frozen=True)
class Compared:
    """One of the runs."""

    name: str
    folder: Path
    curves: Curves

    def row(self) -> tuple[object, ...]:
        """Its figures, in the order of COLUMNS."""
        training, scores = read(self.folder / "training.json"), read(Run(self.folder).evaluation)
        train = smooth(self.curves.points("tokens", "loss"))
        bits = scores.get("compression", {}).get("bits_per_byte") or self.curves.last("validation_bits_per_byte")
        return (
            self.name,
            said(short, training.get("parameters")),
            said(short, self.curves.last("tokens")),
            said(span, self.curves.last("seconds")),
            said(short, self.curves.median("tokens_per_second")),
            train[-1][1] if train else None,
            self.curves.last("validation_loss"),
            bits,
        )


def compare_runs(folders: Sequence[Path], out: Path) -> Path:
    """Print the tables and write the page `out` and, beside it, the curves as CSV; the page's path."""
    runs = [Compared(name, folder, Curves.read(folder)) for name, folder in zip(names(folders), folders, strict=True)]
    for run in runs:
        if not run.curves.steps:
            raise UserError(f"{run.folder}: has no metrics.jsonl with steps in it; name a run folder that was trained")
    rows, differing = [run.row() for run in runs], differences(folders)
    print_table(COLUMNS, rows)
    keys = ("recipe key", *(run.name for run in runs))
    if differing:
        print_table(keys, differing)
    data = out.with_suffix(".csv")
    write_text(data, table_of_curves(runs))
    sections = [
        Section("Curves").add(*pictures(runs, data.name)),
        Section("Figures").add(html.table(COLUMNS, rows)),
        Section("What differs in the recipes").add(html.table(keys, differing)),
    ]
    write_text(out, html.page(" and ".join(run.name for run in runs), answer(runs), [], sections))
    print(f"{out} and {data}")
    return out


def names(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that tell them apart.

    >>> names([Path("runs/a"), Path("runs/b")]), names([Path("x/run"), Path("y/run")])
    (['a', 'b'], ['x/run', 'y/run'])
    """
    parts = [folder.resolve().parts for folder in folders]
    for length in range(1, max(map(len, parts)) + 1):
        found = ["/".join(part[-length:]) for part in parts]
        if len(set(found)) == len(found):
            return found
    raise UserError(f"{folders[0]}: is named twice; a run is compared with another one")


def measure(runs: Sequence[Compared]) -> tuple[str, Axis]:
    """The column that is compared: bits per byte does not depend on the tokenizer, a loss per token does."""
    for key, axis in (("validation_bits_per_byte", BITS), ("validation_loss", LOSS)):
        if all(run.curves.points("tokens", key, held_out=True) for run in runs):
            return key, axis
    return "loss", LOSS


def curve(run: Compared, x: str, key: str) -> list[Point]:
    """The points of a run that are compared."""
    return smooth(run.curves.points(x, key)) if key == "loss" else run.curves.points(x, key, held_out=True)


def answer(runs: Sequence[Compared]) -> str:
    """Which run came out lowest, and by how much."""
    key, axis = measure(runs)
    ends = sorted((curve(run, "tokens", key)[-1][1], run.name) for run in runs)
    if len(ends) == 1:
        return f"{ends[0][1]} ended at {ends[0][0]:.3f}: {axis.label}."
    (low, best), (second, other) = ends[:2]
    if second - low < 0.0005:
        return f"{best} and {other} ended level, at {low:.3f}: {axis.label}."
    return f"{best} ended lowest, at {low:.3f}, {second - low:.3f} below the next: {axis.label}."


def pictures(runs: Sequence[Compared], data: str) -> list[str]:
    """All runs over tokens and over time."""
    parts, (key, height) = [], measure(runs)
    for x, axis, basis in (("tokens", TOKENS, "the same number of tokens"), ("seconds", TIME, "the same time")):
        curves = [Line(name=run.name, points=curve(run, x, key), colour=number) for number, run in enumerate(runs)]
        parts.append(html.figure(verdict(curves, basis), drawing(curves, axis, height), data=data))
    return parts


def drawing(curves: Sequence[Line], x: Axis, y: Axis) -> Callable[[int], str]:
    """One picture, for the width that is asked for."""
    return lambda width: lines(curves, x, y, width=width, height=360 if width > 500 else 280)


def verdict(curves: Sequence[Line], basis: str) -> str:
    """Who is lowest where the shortest run ended.

    >>> fast, slow = Line(name="a", points=[(0, 3), (4, 1)]), Line(name="b", points=[(0, 3), (8, 0.5)])
    >>> verdict([fast, slow], "the same time")
    'For the same time, a is lowest: 1.00, b 1.75'
    """
    end = min(curve.points[-1][0] for curve in curves)
    there = sorted((at(curve, end), curve.name) for curve in curves)
    others = "".join(f", {name} {loss:.2f}" for loss, name in there[1:])
    return f"For {basis}, {there[0][1]} is lowest: {there[0][0]:.2f}{others}"


def at(curve: Line, x: float) -> float:
    """The height of a curve, straight between its points."""
    before = max((p for p in curve.points if p[0] <= x), default=curve.points[0])
    after = min((p for p in curve.points if p[0] >= x), default=curve.points[-1])
    if after[0] == before[0]:
        return before[1]
    return before[1] + (after[1] - before[1]) * (x - before[0]) / (after[0] - before[0])


def table_of_curves(runs: Sequence[Compared]) -> str:
    """Every point of every curve: run, step, tokens, seconds, loss, validation_loss."""
    columns = ("step", "tokens", "seconds", "loss", "validation_loss")
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("run", *columns))
    for run in runs:
        for row in (*run.curves.steps, *run.curves.validations):
            writer.writerow((run.name, *(row.get(column, "") for column in columns)))
    return file.getvalue()


def differences(folders: Sequence[Path]) -> list[tuple[str, ...]]:
    """(recipe key, value in the first run, value in the second, ...) for every key that is not the same in all."""
    recipes = [leaves(source.read(Run(folder).recipe)) if Run(folder).recipe.exists() else {} for folder in folders]
    keys = dict.fromkeys(key for recipe in recipes for key in recipe)
    rows = [(key, *(recipe.get(key, ABSENT) for recipe in recipes)) for key in keys]
    return [row for row in rows if len(set(row[1:])) > 1]


def leaves(data: Any, where: str = "") -> dict[str, str]:
    """Dotted path -> value as text, of plain data.

    >>> leaves({"a": {"b": [1, {"c": 2}]}})
    {'a.b.0': '1', 'a.b.1.c': '2'}
    """
    items = enumerate(data) if isinstance(data, list) else data.items() if isinstance(data, dict) else None
    if not data or items is None:
        return {where: str(data)}
    found: dict[str, str] = {}
    for key, item in items:
        found |= leaves(item, f"{where}.{key}" if where else str(key))
    return found
