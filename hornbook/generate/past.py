"""What a row has read and written, as far as the choice of its next token looks at it.

A `Past` holds on to the two lists of a text, its prompt and the tokens written so far, and catches up by itself with
what was appended since it was last asked: whoever writes (engine.py, beam.py) makes one per row when the row begins,
`Past(writing.prompt, writing.new, room)`, passes the pasts in the order of the rows and does nothing else. When rows
move, their pasts move as a list is reordered. Nothing is computed for a sampling that does not look back, and each new
token costs the same however long the text is.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Past:
    """The past of one row. `prompt` never changes; `new` only grows, as the text is written."""

    def __init__(self, prompt: Sequence[int], new: list[int], room: int | None = None) -> None:
        """room: how many tokens may be written in all (for a token that must be the last); None: nobody knows."""
        self.prompt, self.new, self.room = prompt, new, room
        self._seen: dict[int, None] = {}  # a set that remembers its order
        self._counts: dict[int, int] = {}
        self._following: dict[tuple[int, ...], list[int]] = {}  # n - 1 tokens -> what came after them
        self._marked = self._counted = self._paired = 0  # tokens taken into each of these

    def seen(self) -> list[int]:
        """The different tokens of prompt and text."""
        if not self._marked:
            self._seen.update(dict.fromkeys(self.prompt))
            self._marked = len(self.prompt)
        fresh = self.new[self._marked - len(self.prompt) :]
        self._seen.update(dict.fromkeys(fresh))
        self._marked += len(fresh)
        return list(self._seen)

    def counts(self) -> dict[int, int]:
        """How often each token was written; the prompt does not count."""
        for token in self.new[self._counted :]:
            self._counts[token] = self._counts.get(token, 0) + 1
        self._counted = len(self.new)
        return self._counts

    def completing(self, n: int) -> list[int]:
        """The tokens that would repeat a run of n tokens of prompt and text.

        >>> Past([1, 2, 3, 1], [2]).completing(3), Past([1, 2, 3, 1], [2]).completing(1)
        ([3], [1, 2, 3, 1, 2])
        """
        ends = len(self.prompt) + len(self.new)
        for end in range(max(self._paired, n - 1), ends):
            *before, token = self._run(end - n + 1, end + 1)
            self._following.setdefault(tuple(before), []).append(token)
        self._paired = max(ends, n - 1)
        return self._following.get(tuple(self._run(ends - n + 1, ends)), []) if ends >= n - 1 else []

    def fork(self) -> "Past":
        """One that goes its own way from here: of a beam that splits."""
        other = Past(self.prompt, list(self.new), self.room)
        other._seen, other._counts = dict(self._seen), dict(self._counts)
        other._marked, other._counted = self._marked, self._counted
        return other  # runs of tokens are found anew

    def _run(self, first: int, end: int) -> list[int]:
        """The tokens from `first` up to before `end`, the text counted behind the prompt."""
        border = len(self.prompt)
        if first >= border:
            return self.new[first - border : end - border]
        return [*self.prompt[first:end], *self.new[: max(end - border, 0)]]


def seen(pasts: Sequence[Past], like: Float[Tensor, "rows vocab"]) -> Bool[Tensor, "rows vocab"]:
    """Which tokens each row has read or written."""
    rows, tokens = _places([past.seen() for past in pasts], like)
    found = torch.zeros_like(like, dtype=torch.bool)
    found[rows, tokens] = True
    return found


def counts(pasts: Sequence[Past], like: Float[Tensor, "rows vocab"]) -> Float[Tensor, "rows vocab"]:
    """How often each row has written each token."""
    each = [past.counts() for past in pasts]
    rows, tokens = _places([list(one) for one in each], like)
    found = torch.zeros_like(like)
    values = [float(count) for one in each for token, count in one.items() if token < like.shape[-1]]
    found[rows, tokens] = torch.tensor(values, dtype=like.dtype, device=like.device)
    return found


def completing(pasts: Sequence[Past], like: Float[Tensor, "rows vocab"], n: int) -> Bool[Tensor, "rows vocab"]:
    """Which tokens would repeat a run of n tokens in each row."""
    rows, tokens = _places([past.completing(n) for past in pasts], like)
    found = torch.zeros_like(like, dtype=torch.bool)
    found[rows, tokens] = True
    return found


def _places(tokens: Sequence[Sequence[int]], like: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of each token; a model's table may end before its tokenizer's."""
    kept = [[token for token in each if token < like.shape[-1]] for each in tokens]
    columns = torch.tensor([token for each in kept for token in each], dtype=torch.long, device=like.device)
    lengths = torch.tensor([len(each) for each in kept], device=like.device)
    return torch.arange(len(kept), device=like.device).repeat_interleave(lengths), columns
