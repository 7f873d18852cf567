"""Draws encoders.svg: eight sentences, and how alike MiniLM finds them.

    python docs/pictures/encoders.py path/to/all-MiniLM-L6-v2

The numbers in the squares are the data.
"""

import sys
from html import escape
from pathlib import Path

import hornbook

SENTENCES = [
    "A cat is sleeping on the sofa.",
    "The kitten took a nap on the couch.",
    "Share prices fell sharply on Monday.",
    "The stock market had a bad start to the week.",
    "It has been raining all day.",
    "Take an umbrella, the weather is awful.",
    "This function sorts a list of numbers.",
    "The code puts an array into ascending order.",
]
LEFT, TOP, SQUARE = 330, 70, 44  # pixels


def square(row: int, column: int, value: float) -> str:
    """One pair of sentences."""
    x, y, strength = LEFT + column * SQUARE, TOP + row * SQUARE, max(0.0, value)
    middle, ink = x + SQUARE / 2 - 1, "white" if strength > 0.75 else "currentColor"
    return (
        f'<rect x="{x}" y="{y}" width="{SQUARE - 2}" height="{SQUARE - 2}" fill="#2a75b5" '
        f'fill-opacity="{strength:.2f}"/>'
        f'<text x="{middle}" y="{y + 26}" text-anchor="middle" fill="{ink}">{round(value, 2) + 0.0:.2f}</text>'
    )


def draw(alike: list[list[float]]) -> str:
    """The table as an SVG that takes the colours of its page."""
    size = len(SENTENCES) * SQUARE
    parts = ['<text x="0" y="18" font-size="15" font-weight="bold">Sentences that mean alike point the same way</text>']
    parts.append('<text x="0" y="38">cosine between the vectors of two sentences, all-MiniLM-L6-v2</text>')
    for row, sentence in enumerate(SENTENCES):
        middle = TOP + row * SQUARE + 26
        parts.append(f'<text x="{LEFT - 10}" y="{middle}" text-anchor="end">{row + 1}  {escape(sentence)}</text>')
        column = LEFT + row * SQUARE + SQUARE / 2 - 1
        parts.append(f'<text x="{column}" y="{TOP - 8}" text-anchor="middle">{row + 1}</text>')
        parts += [square(row, column, value) for column, value in enumerate(alike[row])]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + size} {TOP + size}" width="{LEFT + size}" '
        f'fill="currentColor" font-family="system-ui, sans-serif" font-size="12">{"".join(parts)}</svg>\n'
    )


def main() -> None:
    """Embed, compare, draw."""
    vectors = hornbook.load(sys.argv[1]).embed(SENTENCES, normalize=True)
    Path(__file__).with_name("encoders.svg").write_text(draw((vectors @ vectors.T).tolist()), encoding="utf-8")


if __name__ == "__main__":
    main()
