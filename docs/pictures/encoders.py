"""Draws encoders.svg: eight sentences, and how alike MiniLM finds them.

    python docs/pictures/encoders.py path/to/all-MiniLM-L6-v2
"""

import sys
from pathlib import Path

import hornbook
from hornbook.core.heat import Heat, Side, grid

SENTENCES = {
    "cat": "A cat is sleeping on the sofa.",
    "kitten": "The kitten took a nap on the couch.",
    "shares": "Share prices fell sharply on Monday.",
    "market": "The stock market had a bad start to the week.",
    "rain": "It has been raining all day.",
    "umbrella": "Take an umbrella, the weather is awful.",
    "sort": "This function sorts a list of numbers.",
    "order": "The code puts an array into ascending order.",
}


def main() -> None:
    """Embed, compare, draw."""
    vectors = hornbook.load(sys.argv[1]).embed(list(SENTENCES.values()), normalize=True)
    names = list(SENTENCES)
    alike = Heat("cosine of the angle between two vectors", (vectors @ vectors.T).tolist())
    picture = grid([alike], Side("one sentence", names), Side("another", names), width=640)
    Path(__file__).with_name("encoders.svg").write_text(picture, encoding="utf-8")
    for name, row in zip(names, alike.rows, strict=True):
        print(f"{name:9}", *(f"{value:5.2f}" for value in row))


if __name__ == "__main__":
    main()
