"""Charts as plain SVG: lines with their names beside them, bars with their intervals, on linear, log and time axes.

Colours are CSS variables and text is text: a chart follows the page into the dark, is sharp on paper, takes any script
the reader has a font for, and costs milliseconds while a model is training on the same cores. A chart answers one
question; the answer is its caption's business (see report.py), the units stand on its axes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape

Point = tuple[float, float]
COLOURS = 6  # --c0 to --c5 in report.py's style
LEFT, TOP, BOTTOM = 46, 26, 38  # margins; the right one holds the names of the lines
LETTER = 6.9  # width of an average letter at the charts' text size; a Chinese one is nearly twice that
LABEL_HEIGHT = 15
MOMENTS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400]  # seconds


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What runs along one side."""

    label: str  # with its unit
    text: Callable[[float], str]  # of a value
    log: bool = False
    time: bool = False  # seconds: ticks at minutes and hours
    zero: bool = False  # begins at 0


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve; a faint one lies behind the others, a dotted one is its points alone; neither has a name beside it."""

    name: str
    points: Sequence[Point]
    colour: int = 0
    faint: bool = False
    dots: bool = False

    @property
    def named(self) -> bool:
        return not (self.faint or self.dots)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A value with its 95 % interval where it has one."""

    name: str
    value: float
    interval: tuple[float, float] | None = None
    ours: bool = False


@dataclass(frozen=True)
class Scale:
    """From values to pixels."""

    axis: Axis
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        low, high, value = (math.log(v) if self.axis.log else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values, about one in 90 pixels across or 38 upwards."""
        room = max(2.0, abs(self.end - self.start) / (90 if self.start < self.end else 38))
        return [tick for tick in round_values(self.axis, self.low, self.high, room) if self.low <= tick <= self.high]


def lines(curves: Sequence[Line], x: Axis, y: Axis, *, width: int = 760, height: int = 300) -> str:
    """Curves over one plane, each named at its end."""
    curves = [_drawable(curve, x, y) for curve in curves]
    curves = [curve for curve in curves if curve.points]
    if not curves:
        return ""
    right = 14 + max((letters(curve.name) for curve in curves if curve.named), default=0) * LETTER
    across = Scale(x, *_range([p[0] for c in curves for p in c.points], x, pad=0), LEFT, width - right)
    upward = Scale(y, *_range([p[1] for c in curves for p in c.points], y, pad=0.05), height - BOTTOM, TOP)
    parts = [
        *_grid(across, upward),
        *(_curve(curve, across, upward) for curve in curves),
        *_names(curves, upward, width - right),
    ]
    return _svg(width, height, parts)


def bars(rows: Sequence[Bar], axis: Axis, *, most: float = 0, width: int = 760) -> str:
    """Horizontal bars from zero to `most` (or the largest), each under its name."""
    if not rows:
        return ""
    most = max(most, *(max(row.value, row.interval[1] if row.interval else 0) for row in rows))
    scale = Scale(axis, 0, most or 1, 0, width - 78)
    parts = [_bar(row, scale, 44 * place) for place, row in enumerate(rows)]
    return _svg(width, 44 * len(rows), parts)


def _bar(row: Bar, scale: Scale, top: int) -> str:
    end = scale(row.value)
    drawn = _text("name", 0, top + 14, row.name)
    drawn += f'<rect class="{"ours" if row.ours else "theirs"}" y="{top + 20}" width="{end:.1f}" height="15" rx="2"/>'
    if row.interval:
        low, high = (scale(max(0, side)) for side in row.interval)
        sides = "".join(f"M{side:.1f} {top + 23}v9" for side in (low, high))
        drawn += f'<path class="whisker" d="M{low:.1f} {top + 27.5}H{high:.1f}{sides}"/>'
        end = max(end, high)
    return drawn + _text("value", end + 8, top + 32, scale.axis.text(row.value))


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'


def _text(kind: str, x: float, y: float, text: str, more: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" {more}>{escape(text)}</text>'


def _drawable(curve: Line, x: Axis, y: Axis) -> Line:
    """Without what no axis can show: NaN, infinities, and zero on a log axis."""
    points = [
        p
        for p in curve.points
        if all(map(math.isfinite, p)) and not (x.log and p[0] <= 0) and not (y.log and p[1] <= 0)
    ]
    return replace(curve, points=points)


def _range(values: Sequence[float], axis: Axis, pad: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    if axis.zero:
        low = min(0.0, low)
    if axis.log:
        return (low, high) if high > low * 1.01 else (low / 2, high * 2)
    room = (high - low) * pad or (abs(high) * 0.05 or 1.0 if high == low else 0.0)
    return low - (0 if axis.zero else room), high + room


def round_values(axis: Axis, low: float, high: float, room: float) -> list[float]:
    """Ticks a person would choose for two values and what lies between; about `room` of them.

    >>> round_values(Axis(label="", text=str), 0, 97, 5)
    [0.0, 20.0, 40.0, 60.0, 80.0]
    >>> round_values(Axis(label="", text=str, log=True), 3, 700, 9)
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0]
    """
    if axis.log:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
        some = (
            (1, 2, 5) if 3 * math.log10(high / low) <= room else (1, 3) if 2 * math.log10(high / low) <= room else (1,)
        )
        return [float(f"{digit}e{decade}") for decade in [*decades, decades.stop] for digit in some]
    step = _time_step((high - low) / room) if axis.time else _step((high - low) / room)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) + 0.0 for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _step(least: float) -> float:
    size = 10.0 ** math.floor(math.log10(least))
    return next(size * digit for digit in (1, 2, 5, 10) if size * digit >= least * (1 - 1e-9))


def _time_step(least: float) -> float:
    return next((moment for moment in MOMENTS if moment >= least), _step(least / 86400) * 86400)


def _grid(across: Scale, upward: Scale) -> list[str]:
    left, right, bottom = across.start, across.end, upward.start
    parts = []
    for tick in upward.ticks():
        place = upward(tick)
        parts.append(f'<path class="grid" d="M{left} {place:.1f}H{right:.1f}"/>')
        parts.append(_text("tick", left - 7, place + 4, upward.axis.text(tick), 'text-anchor="end"'))
    for tick in across.ticks():
        place = across(tick)
        parts.append(f'<path class="axis" d="M{place:.1f} {bottom}v4"/>')
        parts.append(_text("tick", place, bottom + 17, across.axis.text(tick), 'text-anchor="middle"'))
    parts.append(f'<path class="axis" d="M{left} {bottom}H{right:.1f}"/>')
    parts.append(_text("label", 0, 12, upward.axis.label))
    parts.append(_text("label", right, bottom + 34, across.axis.label, 'text-anchor="end"'))
    return parts


def _curve(curve: Line, across: Scale, upward: Scale) -> str:
    if curve.dots:
        return _dots(curve, across, upward)
    points = thin([(across(x), upward(y)) for x, y in curve.points], columns=1.5 if curve.faint else 2.5)
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    colour = f"var(--c{curve.colour % COLOURS})"
    drawn = f'<path class="curve{" faint" if curve.faint else ""}" stroke="{colour}" d="{path}"/>'
    return drawn if curve.faint else drawn + _readings(curve, across, upward, colour)


def _readings(curve: Line, across: Scale, upward: Scale, colour: str) -> str:
    """About forty points that show their values under the pointer."""
    every = max(1, len(curve.points) // 40)
    shown = replace(curve, points=[*curve.points[:-1:every], curve.points[-1]])
    return _circles(shown, across, upward, f'class="reading" r="6" fill="{colour}"')


def _dots(curve: Line, across: Scale, upward: Scale) -> str:
    """Points that nothing joins."""
    return _circles(curve, across, upward, f'class="dot" r="4" fill="var(--c{curve.colour % COLOURS})"')


def _circles(curve: Line, across: Scale, upward: Scale, look: str) -> str:
    """A circle a point, which says its values under the pointer."""
    found = []
    for x, y in curve.points:
        text = f"{curve.name}: {upward.axis.text(y)} at {across.axis.text(x)}"
        place = f'cx="{across(x):.1f}" cy="{upward(y):.1f}"'
        found.append(f"<circle {look} {place}><title>{escape(text)}</title></circle>")
    return "".join(found)


def thin(points: Sequence[Point], columns: float) -> list[Point]:
    """At most one point per `columns` pixels of width, the mean of those it stands for; the last one as it is.

    >>> thin([(0, 0), (1, 2), (4, 6), (9, 9)], columns=4)
    [(0.5, 1.0), (4.0, 6.0), (9, 9)]
    """
    groups: dict[int, list[Point]] = {}
    for point in points[:-1]:
        groups.setdefault(int(point[0] // columns), []).append(point)
    means = [
        (sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups.values()
    ]
    return [*means, points[-1]]


def _names(curves: Sequence[Line], upward: Scale, left: float) -> list[str]:
    """Each line's name at the height of its end, moved apart where two would meet."""
    named = sorted((curve for curve in curves if curve.named), key=lambda curve: upward(curve.points[-1][1]))
    heights: list[float] = []
    for curve in named:
        wanted = upward(curve.points[-1][1])
        heights.append(max(wanted, heights[-1] + LABEL_HEIGHT) if heights else wanted)
    overflow = max(0.0, heights[-1] - upward.start) if heights else 0.0
    return [
        _text("name", left + 8, height - overflow + 4, curve.name, f'style="fill:var(--c{curve.colour % COLOURS})"')
        for curve, height in zip(named, heights, strict=True)
    ]


def letters(text: str) -> float:
    """The width of a text in letters: a Chinese, Japanese or Korean one counts 1.8."""
    return sum(1.8 if ord(letter) > 0x2E80 else 1.0 for letter in text)
