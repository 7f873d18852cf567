"""Draws attention.svg: three heads of SmolLM2-135M reading a sentence that says something twice.

    python docs/pictures/attention.py path/to/SmolLM2-135M-Instruct.gguf

`hornbook show MODEL --attention TEXT` draws all heads of any model; these are three of its 270, picked by what they do.
"""

import sys
from pathlib import Path

import torch

from hornbook.attention_maps import open_subject, read
from hornbook.core.heat import Heat, Side, grid

TEXT = "Mrs Dursley came from Surrey. Mr and Mrs Dursley"


def main(model: str) -> None:
    passed = read(open_subject(model), TEXT)
    maps = {f"layer {number + 1}": seen.weights[0] for number, seen in enumerate(passed.maps)}
    found = [(layer, head, weights[head]) for layer, weights in maps.items() for head in range(len(weights))]
    before = max(found, key=lambda item: item[2].diagonal(-1).mean().item())
    first = max(found, key=lambda item: item[2][1:, 0].mean().item())
    twice = max(found, key=lambda item: induction(item[2], passed.source))
    heats = [
        Heat(f"{layer}, head {head + 1}: {what}", weights.tolist())
        for (layer, head, weights), what in (
            (before, "the token before"),
            (twice, "what came next last time"),
            (first, "the first token"),
        )
    ]
    side = Side("the token that looks", passed.source), Side("what it looks at", passed.source)
    Path(__file__).with_suffix(".svg").write_text(grid(heats, *side), encoding="utf-8")


def induction(weights: torch.Tensor, names: list[str]) -> float:
    """How much a token that has been there before looks at what followed it then (Olsson et al. 2022)."""
    pairs = [
        (later, early + 1) for later in range(len(names)) for early in range(later) if names[early] == names[later]
    ]
    return sum(weights[later, place].item() for later, place in pairs if place < later) / max(len(pairs), 1)


if __name__ == "__main__":
    main(sys.argv[1])
