"""Heat maps as plain SVG: a grid of them, each with its rows and columns named, such as the heads of a layer.

A map is a picture inside the SVG, one square per number, of one colour whose strength is the root of the number, so
that a small share is seen beside a large one and nothing is nothing. Numbers below 0 have a colour of their own. The
background is left open and the letters take the page's colour: a map follows its page into the dark.
"""

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from hornbook.core.chart import letters

ABOVE, BELOW = (0x2A, 0x75, 0xB5), (0xC2, 0x50, 0x2F)  # red, green, blue of numbers above and below 0
LEVELS = 127  # strengths of each colour
LETTER = 6.6  # width of an average letter of a name
LONGEST = 14  # letters of a name that are shown
LARGEST, LEGIBLE, ROOM = 16, 13, 240  # pixels: of a square at most, of one whose name can be read; of a map, about
KEY = (0.01, 0.05, 0.25, 0.5, 1.0)  # numbers whose colours are shown beside the maps
STEEP = math.radians(60)


@dataclass(frozen=True)
class Heat:
    """A table of numbers from -1 to 1, and what stands above it."""

    title: str
    rows: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Side:
    """What runs down, or across."""

    label: str
    names: Sequence[str]


@dataclass(frozen=True)
class Frame:
    """The sizes of one map of a grid, in pixels."""

    square: float
    left: float
    top: float
    wide: float
    high: float


def grid(maps: Sequence[Heat], down: Side, across: Side, *, width: int = 1180) -> str:
    """Maps side by side, all with the same rows and columns, as one SVG."""
    frame = _frame(down, across, width)
    many = max(1, min(len(maps), int(width // frame.wide)))
    lines = math.ceil(len(maps) / many)
    parts = [_key(f"down: {down.label}; across: {across.label}")]
    for place, heat in enumerate(maps):
        x, y = place % many * frame.wide, 30 + place // many * frame.high
        parts.append(f'<g transform="translate({x:.0f} {y:.0f})">{_map(heat, frame, down, across)}</g>')
    size = max(many * frame.wide, 640), 30 + lines * frame.high
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" width="{size[0]:.0f}" '
        f'height="{size[1]:.0f}" style="width:{size[0]:.0f}px;max-width:none" fill="currentColor" '
        f'font-family="system-ui, Noto Sans, Noto Sans CJK SC, sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def _frame(down: Side, across: Side, width: int) -> Frame:
    most = max(len(down.names), len(across.names))
    square = min(max(LEGIBLE, min(LARGEST, ROOM / most)), width / most)
    left = max(letters(_short(name)) for name in down.names) * LETTER + 8
    slant = max(letters(_short(name)) for name in across.names) * LETTER + 8
    top = 24 + slant * math.sin(STEEP)
    wide = left + max(len(across.names) * square + slant * math.cos(STEEP), 150) + 12
    return Frame(square, left, top, wide, top + len(down.names) * square + 26)


def _map(heat: Heat, frame: Frame, down: Side, across: Side) -> str:
    wide, high = len(across.names) * frame.square, len(down.names) * frame.square
    every = math.ceil(LEGIBLE / frame.square)  # names that are shown: as many as there is room for
    parts = [f'<text x="{frame.left:.1f}" y="12" font-weight="600" font-size="12">{escape(heat.title)}</text>']
    for place, name in list(enumerate(down.names))[::every]:
        y = frame.top + (place + 0.5) * frame.square + 3.5
        parts.append(f'<text x="{frame.left - 5:.1f}" y="{y:.1f}" text-anchor="end">{escape(_short(name))}</text>')
    for place, name in list(enumerate(across.names))[::every]:
        x, turned = frame.left + (place + 0.5) * frame.square, -60 if letters(name) > 2 else 0
        middle = "" if turned else ' text-anchor="middle"'
        at = f'transform="translate({x + (3 if turned else 0):.1f} {frame.top - 5:.1f}) rotate({turned})"{middle}'
        parts.append(f"<text {at}>{escape(_short(name))}</text>")
    box = f'x="{frame.left:.1f}" y="{frame.top:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    parts.append(
        f'<image {box} preserveAspectRatio="none" style="image-rendering:pixelated" href="{_uri(heat.rows)}"/>'
    )
    parts.append(f'<rect {box} fill="none" stroke="currentColor" stroke-opacity=".35"/>')
    return "".join(parts)


def _key(sides: str) -> str:
    """What runs where, and which number has which strength."""
    parts, x = [f'<text y="12">{escape(sides)}</text>'], letters(sides) * LETTER + 24
    for number in KEY:
        colour = f'fill="rgb{ABOVE}" fill-opacity="{math.sqrt(number):.2f}"'
        parts.append(f'<rect x="{x:.0f}" y="2" width="12" height="12" {colour}/>')
        parts.append(f'<text x="{x + 16:.0f}" y="12">{number:.0%}</text>')
        x += 52
    return "".join(parts)


def _short(name: str) -> str:
    """A name that fits beside a row."""
    return name if letters(name) <= LONGEST else name[: int(LONGEST // (letters(name) / len(name))) - 1] + "…"


def _uri(rows: Sequence[Sequence[float]]) -> str:
    return "data:image/png;base64," + base64.b64encode(png(rows)).decode()


def png(rows: Sequence[Sequence[float]], scale: int = 6) -> bytes:
    """Numbers from -1 to 1 as a picture with `scale` pixels to a side of each square; 0 is not painted at all."""
    lines = [b"\0" + b"".join(bytes([_level(number)]) * scale for number in row) for row in rows]
    colours = [BELOW] * LEVELS + [ABOVE] * (LEVELS + 1)
    strengths = bytes(round(255 * abs(level - LEVELS) / LEVELS) for level in range(2 * LEVELS + 1))
    head = struct.pack(">IIBBBBB", len(rows[0]) * scale, len(rows) * scale, 8, 3, 0, 0, 0)  # 8 bits, by palette
    data = zlib.compress(b"".join(line * scale for line in lines), 9)
    chunks = {b"IHDR": head, b"PLTE": bytes(c for colour in colours for c in colour), b"tRNS": strengths, b"IDAT": data}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in (chunks | {b"IEND": b""}).items())


def _level(number: float) -> int:
    """The palette's entry: LEVELS is 0, above it blue, below it red."""
    return LEVELS + round(LEVELS * math.copysign(math.sqrt(min(abs(number), 1.0)), number))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
