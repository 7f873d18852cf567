"""Labelled texts that were planted: which class it is can be read off one word, in the middle or at the end."""

import json
import random
from pathlib import Path
from typing import Any

ANIMALS = {"tame": "fox", "wild": "wolf"}
AROUND = ("small", "red", "old", "grey", "ran", "over", "two", "green", "hills", "one", "of", "them")  # tokens all


def rows(count: int, *, seed: int = 0, rare: float = 0.5, doubt: float = 0.0) -> list[dict[str, Any]]:
    """Texts with the label tame or wild; `rare`: the share that is wild; `doubt`: the share that has the other's word.

    All begin alike.
    """
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        label = "wild" if draw.random() < rare else "tame"
        told = ("tame" if label == "wild" else "wild") if draw.random() < doubt else label
        words = [draw.choice(AROUND) for _ in range(draw.randrange(4, 10))]
        words.insert(draw.randrange(len(words)), ANIMALS[told])
        found.append({"text": f"The {' '.join(words)}", "label": label})
    return found


def write(path: Path, given: list[dict[str, Any]]) -> str:
    """As JSON lines; the path."""
    path.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    return str(path)
