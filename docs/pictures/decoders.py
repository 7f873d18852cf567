"""Draws decoders.svg: one layer of six decoders and who sees whom, from their recipes.

python docs/pictures/decoders.py
"""

from pathlib import Path
from typing import Any

from hornbook.core.recipe import load
from hornbook.model.decoder import Decoder
from hornbook.model.norm import LayerNorm

RECIPES = {
    "gpt2": "GPT-2",
    "gptj-6b": "GPT-J",
    "llama2-70b": "Llama 2",
    "olmo2-7b": "OLMo 2",
    "gemma3-270m": "Gemma 3",
    "mixtral-8x7b": "Mixtral",
}
NAMES = {"Attention": "attention", "MLP": "MLP", "GatedMLP": "gated MLP", "Experts": "2 of 8 MLPs"}
COLOURS = {"norm": "#9aa0a6", "Attention": "#2a75b5", "MLP": "#c8741a", "GatedMLP": "#c8741a", "Experts": "#8a4fa3"}
COLUMN, BOX, STEP, FLOOR, CELL = 150, 84, 34, 372, 7  # pixels
TOKENS = 9  # in the pictures of masks


def text(x: float, y: float, words: str, *, size: int = 12, ink: str = "currentColor", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" text-anchor="middle" font-size="{size}" fill="{ink}"{weight}>{words}</text>'


def line(*points: tuple[float, float]) -> str:
    path = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-opacity="0.6"/>'


def box(x: float, y: float, words: str, colour: str, *, width: float = BOX) -> str:
    rect = f'<rect x="{x - width / 2}" y="{y - 11}" width="{width}" height="22" rx="4" fill="{colour}"/>'
    return rect + text(x, y + 4, words, size=11, ink="white")


def residual(x: float, y: float, op: Any, config: Any) -> tuple[list[str], float]:
    """A sublayer with its norms, from the stream at height `y` up to where it is added; and that height."""
    norm = "layer norm" if isinstance(config.stack.norm, LayerNorm) else "RMS norm"
    before, after = config.stack.placement in ("pre", "sandwich"), config.stack.placement in ("sandwich", "output")
    branches, middle = getattr(op, "branches", (op,)), x + 64
    rows: list[list[tuple[str, str]]] = [[(norm, COLOURS["norm"])]] * before
    rows.append([(NAMES[type(each).__name__], COLOURS[type(each).__name__]) for each in branches])
    rows += [[(norm, COLOURS["norm"])]] * after
    top = y - STEP * len(rows) - 14
    parts = [line((x, y), (middle, y), (middle, top), (x, top))]
    for level, row in enumerate(rows, 1):
        for i, (words, colour) in enumerate(row):
            spot = middle + (i - (len(row) - 1) / 2) * (BOX - 22)
            parts.append(box(spot, y - STEP * level + 6, words, colour, width=BOX if len(row) == 1 else BOX - 26))
    parts.append(f'<circle cx="{x}" cy="{top}" r="7" fill="Canvas" stroke="currentColor"/>')
    parts.append(text(x, top + 4, "+"))
    return parts, top


def mask(x: float, y: float, window: int | None, words: str) -> list[str]:
    """A row for each token, a filled square for each that it sees; a real window is thousands wide, here it is 4."""
    seen = 4 if window else TOKENS
    parts = [text(x + TOKENS * CELL / 2, y - 6, words, size=10)]
    for row in range(TOKENS):
        for column in range(TOKENS):
            strength = 0.85 if 0 <= row - column < seen else 0.08
            parts.append(
                f'<rect x="{x + column * CELL}" y="{y + row * CELL}" width="{CELL - 1}" height="{CELL - 1}" '
                f'fill="#2a75b5" fill-opacity="{strength}"/>'
            )
    return parts


def column(x: float, name: str, title: str) -> list[str]:
    """One model: its name, a layer, its masks."""
    config = load(Decoder, f"models/{name}")
    stream, height = x + 18, float(FLOOR)
    parts = [text(x + COLUMN / 2 - 8, 70, title, size=14, bold=True)]
    for op in config.stack.plan()[0]:
        found, height = residual(stream, height - 20, op, config)
        parts += found
    parts.insert(0, line((stream, FLOOR), (stream, height - 24)))
    windows = {layer[0].window: None for layer in config.stack.plan() if hasattr(layer[0], "window")} or {None: None}
    for i, window in enumerate(windows):
        words = "sees all" if window is None else f"nearest {window}"
        parts += mask(x + 6 + i * (TOKENS * CELL + 10), FLOOR + 34, window, words)
    return parts


def main() -> None:
    """Draw all columns."""
    parts = ['<text x="0" y="18" font-size="15" font-weight="bold">What changed is the wiring</text>']
    parts.append(
        '<text x="0" y="38" font-size="12">one layer of each, the stream on the left, bottom to top; below, which '
        "tokens (columns) a token (row) sees in its layers</text>"
    )
    for i, (name, title) in enumerate(RECIPES.items()):
        parts += column(i * COLUMN, name, title)
    width, height = COLUMN * len(RECIPES), FLOOR + 34 + TOKENS * CELL + 6
    Path(__file__).with_name("decoders.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'fill="currentColor" font-family="system-ui, sans-serif">{"".join(parts)}</svg>\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
