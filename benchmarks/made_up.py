"""Sizes and rows for the benchmark of post-training: made up, so that it needs no data, and as long as real ones."""

import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Size:
    """A model and its batch."""

    dim: int
    layers: int
    vocab: int
    length: int
    rows: int

    @property
    def changes(self) -> list[str]:
        """What makes the tiny Llama this one."""
        heads, hidden = max(2, self.dim // 64), self.dim * 8 // 3
        layer = [f"stack.layer.0.heads={heads}", f"stack.layer.0.kv_heads={heads}", f"stack.layer.1.hidden={hidden}"]
        sizes = [f"dim={self.dim}", f"stack.layers={self.layers}", f"length={self.length}"]
        return [*sizes, *layer]


USUAL = Size(dim=384, layers=6, vocab=8192, length=512, rows=4)
TINY = Size(dim=32, layers=1, vocab=400, length=256, rows=2)


def conversations(count: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Made-up questions and answers whose lengths are spread as those of Alpaca: many short ones, a few long."""
    letters, draw = random.Random(0), random.Random(seed)
    words = ["".join(letters.choices("etaoinshrdlu", k=letters.randint(2, 9))) for _ in range(4000)]

    def text(middle: float) -> str:
        return " ".join(draw.choices(words, k=max(2, min(250, round(draw.lognormvariate(middle, 0.8))))))

    return [
        {"messages": [{"role": "user", "content": text(2.6)}, {"role": "assistant", "content": text(3.4)}]}
        for _ in range(count)
    ]
