"""What was read once need not be read again: states of texts, found by the beginning that another text shares with one.

Chats send the whole conversation with every turn and many requests share a system prompt, so most of a prompt is often
known (the idea of SGLang's RadixAttention: Zheng et al. 2024, section 3; here a list, as a small machine keeps few).
Attention's state is cut to what is shared. A recurrence's is used only where all that it has read is shared. The state
that was longest not asked for goes first when there are too many bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hornbook.generate.snapshot import kinds, size
from hornbook.model.op import State


@dataclass(frozen=True)
class Kept:
    """A text that was read, and what the model then remembered."""

    ids: NDArray[np.int64]
    adapter: str | None  # that it was read with: to another the same text is another state
    state: State
    bytes: int
    cut: bool  # whether the state of a shorter beginning is in it


class Prefixes:
    """States by what they have read. They belong to the cache: nobody writes into them."""

    def __init__(self, most_bytes: int) -> None:
        """most_bytes: 0 keeps none."""
        self.most_bytes, self.bytes = most_bytes, 0
        self.kept: list[Kept] = []  # used last comes last

    def find(self, ids: Sequence[int], adapter: str | None = None) -> tuple[State, int] | None:
        """A state that has read the beginning of a text, and how many of its tokens: fewer than all.

        The last token is always read anew: what comes next is said while it is read.
        """
        text, best, longest = np.asarray(ids[:-1], np.int64), None, 0
        for each in self._of(adapter):
            common = shared(each.ids, text)
            usable = common if each.cut or common == len(each.ids) else 0
            if usable > longest:
                best, longest = each, usable
        if best is None:
            return None
        self._touch(best)
        return best.state, longest

    def keep(self, ids: Sequence[int], state: State, adapter: str | None = None) -> None:
        """Remember a state that has read `ids`; one that is in it need not be kept beside it."""
        text, bytes_, cut = np.asarray(ids, np.int64), size(state), kinds(state) == {"columns"}
        assert len(text) == state.length
        if bytes_ > self.most_bytes:
            return
        for each in self._of(adapter):
            common = shared(each.ids, text)
            if common == len(text) and (each.cut or common == len(each.ids)):
                self._touch(each)
                return
            if cut and common == len(each.ids):
                self._drop(each)
        while self.bytes + bytes_ > self.most_bytes:  # before it is there: never more, whoever looks
            self._drop(self.kept[0])
        self.kept.append(Kept(text, adapter, state, bytes_, cut))
        self.bytes += bytes_

    def _of(self, adapter: str | None) -> list[Kept]:
        return [each for each in self.kept if each.adapter == adapter]

    def _touch(self, kept: Kept) -> None:
        self._remove(kept)
        self.kept.append(kept)

    def _drop(self, kept: Kept) -> None:
        self._remove(kept)
        self.bytes -= kept.bytes

    def _remove(self, kept: Kept) -> None:
        self.kept = [each for each in self.kept if each is not kept]


def shared(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """How many tokens two texts begin with alike.

    >>> shared(np.array([1, 2, 3]), np.array([1, 2, 9, 4]))
    2
    """
    length = min(len(one), len(other))
    unlike = np.flatnonzero(one[:length] != other[:length])
    return int(unlike[0]) if len(unlike) else length
