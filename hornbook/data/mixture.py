"""Several folders of shards in one stream, by weight: 70 % of the tokens from here, 30 % from there.

A fixed pattern of turns is repeated, each part's turns spread evenly over it, so the shares hold over any stretch of
training and the source of row r is a table look-up. Weights that change during training are not here.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hornbook.data.batches import Batch, Source, Windows, joined
from hornbook.data.pack import Packed
from hornbook.data.shards import load

TURNS = 1 << 16  # rows in the pattern: a share of 0.001 is met to 0.8 % of itself


@dataclass(frozen=True, kw_only=True)
class Part:
    """One folder of shards and its share."""

    shards: Path
    weight: float
    """Share of the trained tokens, relative to the other parts."""

    def __post_init__(self) -> None:
        if not 0 < self.weight < float("inf"):
            raise ValueError(f"weight: {self.weight} is not a positive number; leave the part out instead")


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Rows drawn from several folders of shards."""

    parts: tuple[Part, ...]
    rows: Windows | Packed
    """How each part is cut into rows."""

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("parts: an empty mixture has no rows; name at least one folder of shards")

    def build(self, split: str, *, seed: int | None, tokenizer: str | None = None) -> "MixtureSource":
        """Rows of a split ("train", "validation") of every part; `tokenizer` is the fingerprint all must have."""
        sources: list[Source] = []
        for number, part in enumerate(self.parts):
            shards = load(part.shards, tokenizer=tokenizer)
            tokenizer = shards.tokenizer
            sources.append(self.rows.build(shards.split(split), seed=None if seed is None else seed + number))
        names = [str(part.shards) for part in self.parts]
        return MixtureSource(sources, [part.weight for part in self.parts], names)


class MixtureSource:
    """Sources taking turns."""

    def __init__(self, sources: list[Source], weights: list[float], names: list[str]) -> None:
        assert len({source.length for source in sources}) == 1, "rows of one length"
        self.sources = sources
        self.names = names
        self.length = sources[0].length
        self.rows_per_epoch = sum(source.rows_per_epoch for source in sources)
        per_row = np.array([source.tokens_per_row for source in sources])
        self.turns = take_turns(np.array(weights) / per_row)
        """(TURNS,) which source has each turn."""
        self.counts = np.bincount(self.turns, minlength=len(sources))
        """(sources,) turns of each in the pattern."""
        self.tokens_per_row = float(per_row @ self.counts) / TURNS

    def shares(self) -> dict[str, float]:
        """Each part's realised share of the trained tokens."""
        tokens = np.array([source.tokens_per_row for source in self.sources]) * self.counts
        return dict(zip(self.names, (tokens / tokens.sum()).tolist(), strict=True))

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1."""
        parts = [
            (places, self.sources[number].batch(start, len(places)))
            for number, start, places in self._turns(first_row, rows)
        ]
        order = torch.from_numpy(np.argsort(np.concatenate([places for places, _ in parts])))
        return joined([batch for _, batch in parts], order)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the documents in each row, with their part's name in front."""
        found: list[list[str]] = [[] for _ in range(rows)]
        for number, start, places in self._turns(first_row, rows):
            names = self.sources[number].documents(start, len(places))
            for place, row in zip(places.tolist(), names, strict=True):
                found[place] = [f"{self.names[number]}:{name}" for name in row]
        return found

    def _turns(self, first_row: int, rows: int) -> list[tuple[int, int, NDArray[np.int64]]]:
        """(source, its first row, places in the batch) for every source that has a turn in these rows."""
        rounds, turn = divmod(first_row, TURNS)
        whose = self.turns[np.arange(first_row, first_row + rows) % TURNS]
        before = rounds * self.counts + np.bincount(self.turns[:turn], minlength=len(self.counts))
        return [
            (number, int(before[number]), np.flatnonzero(whose == number))
            for number in range(len(self.sources))
            if (whose == number).any()
        ]


def take_turns(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """A pattern of TURNS turns in which each source's are as many as its weight says, evenly spread.

    >>> np.bincount(take_turns(np.array([3.0, 1.0]))).tolist()
    [49152, 16384]
    """
    exact = weights / weights.sum() * TURNS
    counts = np.maximum(np.floor(exact).astype(np.int64), 1)
    short = np.argsort(counts - exact, kind="stable")[: max(TURNS - int(counts.sum()), 0)]
    counts[short] += 1
    counts[np.argmax(counts)] += TURNS - counts.sum()  # parts so small that one turn is already too much
    when = np.concatenate([(np.arange(count) + 0.5) / count for count in counts])
    who = np.repeat(np.arange(len(counts)), counts)
    pattern: NDArray[np.int64] = who[np.argsort(when, kind="stable")]
    return pattern
