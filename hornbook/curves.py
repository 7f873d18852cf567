"""The curves of a training stage, from its metrics.jsonl, and the sentence that each of them proves."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hornbook.console import short, span
from hornbook.core.chart import Axis, Line, Point, lines
from hornbook.core.report import figure
from hornbook.core.run import Log, Row, Run

SMOOTHED_OVER = 0.02  # of a run: the weights of a curve's moving average fall to 1/e over it
SMOOTHED_OF_PAST = 0.05  # of the steps so far: and over no more than this
WORSE = 1.01  # a held-out loss this much above its best says that the model learns the text by heart


@dataclass(frozen=True)
class Curves:
    """The rows of a stage: one a step, those in which held-out text was looked at, those with scores of benchmarks."""

    steps: list[Row] = field(default_factory=list)
    validations: list[Row] = field(default_factory=list)
    asked: list[Row] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> "Curves":
        """From a run folder; a stage that has not begun has no rows."""
        rows = Log(Run(folder).metrics).rows()
        return cls(*([row for row in rows if kind in row] for kind in ("loss", "validation_loss", "scores")))

    def points(self, x: str, y: str, *, held_out: bool = False) -> list[Point]:
        """(x, y) of every row that has both."""
        rows = self.validations if held_out else self.steps
        return [(float(row[x]), float(row[y])) for row in rows if _number(row.get(x)) and _number(row.get(y))]

    def last(self, key: str) -> float | None:
        """The newest value of a column."""
        rows = [row for row in (*self.steps, *self.validations) if _number(row.get(key))]
        return float(max(rows, key=lambda row: row.get("step", 0))[key]) if rows else None

    def newest(self) -> Row:
        """The newest row in which held-out text was looked at; empty where there is none."""
        return self.validations[-1] if self.validations else {}

    def median(self, key: str) -> float | None:
        """The middle value of a column, or None."""
        values = [row[key] for row in self.steps if _number(row.get(key))]
        return float(statistics.median(values)) if values else None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def smooth(points: Sequence[Point]) -> list[Point]:
    """A moving average whose window grows with what there is to average, so that the fast beginning is not smeared.

    >>> smooth([(0, 4.0), (1, 4.0)])
    [(0, 4.0), (1, 4.0)]
    """
    total, weight, found = 0.0, 0.0, []
    for place, (x, y) in enumerate(points):
        keep = math.exp(-1 / max(1.0, min(SMOOTHED_OVER * len(points), SMOOTHED_OF_PAST * place)))
        total, weight = keep * total + (1 - keep) * y, keep * weight + (1 - keep)
        found.append((x, round(total / weight, 6)))
    return found


def count(value: float) -> str:
    """A round number on an axis.

    >>> count(2000), count(1_500_000), count(0)
    ('2k', '1.5M', '0')
    """
    return short(value).replace(".0", "")


def moment(seconds: float) -> str:
    """A time on an axis.

    >>> moment(120), moment(90), moment(7200)
    ('2m', '1m30s', '2h')
    """
    return span(seconds).replace("m00s", "m").replace("h00m", "h")


TOKENS = Axis(label="tokens read (logarithmic)", text=count, log=True)
READ = Axis(label="tokens read", text=count, zero=True)
TIME = Axis(label="time", text=moment, time=True, zero=True)
SHARE = Axis(label="share that is right, held out", text=lambda value: f"{value:.0%}", zero=True)
ANSWERED = Axis(label="score", text=lambda value: f"{value:.0%}", zero=True)
LOSS = Axis(label="loss (nats a token)", text=lambda value: f"{value:.3g}")


def figures(curves: Curves) -> list[str]:
    """Loss against tokens and against time, learning rate, throughput: each under its answer."""
    data = "metrics.jsonl"
    speed = Axis(label="tokens a second", text=count, zero=True)
    rate = Axis(label="learning rate", text=_scientific, zero=True)
    return [
        *(
            figure(share_sentence(curves, key), _drawing(_share(curves, key), TOKENS, SHARE), data=data)
            for key in curves.newest()
            if key.endswith("accuracy")
        ),
        *(
            figure(asked_sentence(curves, task), _drawing([_asked(curves, task)], READ, ANSWERED), data=data)
            for task in (curves.asked[-1]["scores"] if curves.asked else ())
        ),
        figure(loss_sentence(curves), _drawing(_losses(curves, "tokens"), TOKENS, LOSS), data=data),
        figure(time_sentence(curves), _drawing(_losses(curves, "seconds"), TIME, LOSS), data=data),
        figure(speed_sentence(curves), _drawing(_speed(curves), TIME, speed, height=200), data=data),
        figure(rate_sentence(curves), _drawing(_rate(curves), READ, rate, height=200), data=data),
    ]


def _drawing(curves: list[Line], x: Axis, y: Axis, height: int = 300) -> Callable[[int], str]:
    return lambda width: lines(curves, x, y, width=width, height=height if width > 500 else round(0.85 * height))


def _share(curves: Curves, key: str) -> list[Line]:
    return [Line(name="", points=curves.points("tokens", key, held_out=True), colour=1)]


def _asked(curves: Curves, task: str) -> Line:
    points = [(float(row["tokens"]), float(row["scores"][task]["value"])) for row in curves.asked]
    return Line(name="", points=points, colour=4)


def _speed(curves: Curves) -> list[Line]:
    points = curves.points("seconds", "tokens_per_second")
    return [Line(name="each step", points=points, colour=2, faint=True), Line(name="", points=smooth(points), colour=2)]


def _rate(curves: Curves) -> list[Line]:
    return [Line(name="", points=curves.points("tokens", "lr"), colour=3)]


def _losses(curves: Curves, x: str) -> list[Line]:
    train, held_out = curves.points(x, "loss"), curves.points(x, "validation_loss", held_out=True)
    return [
        Line(name="each step", points=train, colour=0, faint=True),
        Line(name="training", points=smooth(train), colour=0),
        Line(name="held-out", points=held_out, colour=1),
    ]


def _scientific(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}".replace("e-0", "e-")


def loss_sentence(curves: Curves) -> str:
    """What the loss came to."""
    held_out = curves.points("tokens", "validation_loss", held_out=True)
    if len(held_out) < 2:
        train = smooth(curves.points("tokens", "loss"))
        return f"The training loss is {train[-1][1]:.2f} after {short(train[-1][0])} tokens" if train else ""
    (_, first), (tokens, last) = held_out[0], held_out[-1]
    best_tokens, best = min(held_out, key=lambda point: point[1])
    if last > best * WORSE:
        return (
            f"Held-out loss was best, {best:.2f}, after {short(best_tokens)} tokens and is {last:.2f} now: "
            "the model has begun to learn the text by heart"
        )
    return f"Held-out loss fell from {first:.2f} to {last:.2f} in {short(tokens)} tokens"


def share_sentence(curves: Curves, key: str) -> str:
    """How often the model came to be right."""
    (_, first), *_, (_, last) = [(0.0, 0.0), *curves.points("tokens", key, held_out=True)]
    name = key.removeprefix("validation_").replace("_", " ").capitalize()
    return f"{name} on held-out rows rose to {last:.1%}" if last > first else f"{name} on held-out rows is {last:.1%}"


def asked_sentence(curves: Curves, task: str) -> str:
    """What a benchmark's score came to, and whether that is more than where it began can be told."""
    first, last = (curves.asked[place]["scores"][task] for place in (0, -1))
    (low, high), of = last["interval"], last["of"]
    said = f"{task}, {last['metric']}: {last['value']:.1%} ({low:.1%} to {high:.1%}) of {of} questions"
    if len(curves.asked) < 2:
        return said
    apart = low > first["interval"][1] or high < first["interval"][0]
    return f"{said}, {first['value']:.1%} at first" + ("" if apart else ": not more than chance can do")


def time_sentence(curves: Curves) -> str:
    """How the time was spent."""
    points = curves.points("seconds", "validation_loss", held_out=True) or smooth(curves.points("seconds", "loss"))
    if len(points) < 3:
        return "Loss against time"
    aim = points[0][1] + 0.9 * (min(y for _, y in points) - points[0][1])
    reached = next(x for x, y in points if y <= aim)
    return f"Nine tenths of the way took {span(reached)} of {span(points[-1][0])}"


def speed_sentence(curves: Curves) -> str:
    """How fast it went, and how near to what the machine can do."""
    speed, share = curves.median("tokens_per_second"), curves.median("mfu")
    if speed is None:
        return ""
    peak = f", {share:.0%} of the machine's matrix-product peak" if share else ""
    return f"{short(speed)} tokens a second{peak}"


def rate_sentence(curves: Curves) -> str:
    """The path of the learning rate."""
    rates = curves.points("tokens", "lr")
    if not rates:
        return ""
    most = max(rate for _, rate in rates)
    return f"The learning rate rose to {_scientific(most)} and is {_scientific(rates[-1][1])} at the end"
