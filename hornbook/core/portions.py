"""Bars of how much of each thing is left: the whole lightly, the part that stays strongly, the figures beside the name.

Below each other, with the whole of one as long as the part of the one before, they are a waterfall. SVG and colours as
in chart.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from hornbook.core.chart import LETTER, letters

ROW, BAR = 40, 13  # pixels: from one bar to the next, and its own height
FONT = 13
LEAST = 1.5  # pixels of a part that is not nothing


@dataclass(frozen=True, kw_only=True)
class Portion:
    """A whole and what is left of it, in one unit."""

    name: str
    whole: float
    part: float
    text: str  # what stands beside the name


def portions(rows: Sequence[Portion], *, width: int = 760) -> str:
    """One bar below the other, as long as their wholes are large."""
    most = max((row.whole for row in rows), default=0)
    if not most:
        return ""
    parts = [_row(row, most, ROW * place, width) for place, row in enumerate(rows)]
    return f'<svg viewBox="0 0 {width} {ROW * len(rows)}" role="img">{"".join(parts)}</svg>'


def _row(row: Portion, most: float, top: int, width: int) -> str:
    whole, part = (value / most * width for value in (row.whole, row.part))
    part = max(part, LEAST) if row.part else 0.0
    bar = f'y="{top + 20}" height="{BAR}" rx="2"'
    room = int((width - letters(row.text) * LETTER) / LETTER) - 2
    return (
        f'<text class="name" y="{top + 14}">{escape(shortened(row.name, room))}</text>'
        f'<text class="label" x="{width}" y="{top + 14}" text-anchor="end">{escape(row.text)}</text>'
        f'<rect class="lost" {bar} width="{max(whole, part):.1f}"/><rect class="ours" {bar} width="{part:.1f}"/>'
    )


def shortened(text: str, room: float) -> str:
    """A text of at most so many letters, the end replaced by a sign where it does not fit.

    >>> shortened("gopher quality", 8), shortened("论语", 8)
    ('gopher …', '论语')
    """
    if letters(text) <= room:
        return text
    while text and letters(text) > room - 1:
        text = text[:-1]
    return text + "…"
