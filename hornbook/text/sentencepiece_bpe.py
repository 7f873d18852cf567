"""BPE as SentencePiece does it, and Llama 2 and Gemma with it: merge the neighbours whose union has the best score.

Kudo and Richardson, 2018; the algorithm is Sennrich et al., 2016, on characters. A score is minus the order in which a
union was learned. The library's rules, kept to the letter: a union of equal score is made from the left; a piece of the
user's own is never merged; an unused piece is taken apart again into what it was made of. `sample` leaves merges out at
random (BPE-dropout: Provilkov et al., 2020), so that a model sees one word cut in many ways.

    SentencePieceBPE.from_pieces(pieces, scores, kinds, rules=Rules(squeeze=False), end="</s>")

makes a tokenizer of lists by id, like GGUF's `tokenizer.ggml.tokens`, `.scores` and `.token_type` (`Kind`'s numbers;
its `add_space_prefix` is `Rules.dummy_prefix`, its `remove_extra_whitespaces` is `Rules.squeeze`).
"""

import heapq
import random
from collections.abc import Callable
from functools import cached_property

from hornbook.text.plain import whole
from hornbook.text.sentencepiece import Kind, SentencePiece

Candidate = tuple[float, int, int, str]  # -score, the places of the two neighbours, their union


class SentencePieceBPE(SentencePiece):
    """A tokenizer that merges by score."""

    algorithm = "BPE by scores"

    def sample(self, text: str, *, dropout: float, generator: random.Random) -> list[int]:
        """The ids of a text with each merge left out with probability `dropout`."""
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout: {dropout} is no probability; give 0 (no merge left out) to 1 (characters)")
        ids: list[int] = []
        for word in self.words(self.rules.normalize(whole(text))):
            ids += self.spelled(self.cut(word, lambda: generator.random() < dropout))
        return self.without_runs(ids)

    def _ids(self, normal: str) -> list[int]:
        ids: list[int] = []
        for word in self.words(normal):
            found = self._remembered.get(word)
            if found is None:
                found = self.spelled(self.cut(word))
                self.remember(word, found)
            ids += found
        return self.without_runs(ids)

    def cut(self, word: str, skip: Callable[[], bool] | None = None) -> list[tuple[int, str]]:
        """The pieces of a word with their ids; `skip` is asked before each merge."""
        parts = self.rules.split(word)
        after = [*range(1, len(parts)), -1]
        before = [*range(-1, len(parts) - 1)]
        halves: dict[str, tuple[str, str]] = {}
        heap = [c for i in range(len(parts) - 1) if (c := self._candidate(parts, i, i + 1, halves))]
        heapq.heapify(heap)
        while heap:
            _, left, right, union = heapq.heappop(heap)
            if parts[left] + parts[right] != union or not parts[left] or not parts[right] or (skip and skip()):
                continue
            parts[left], parts[right] = union, ""
            after[left] = after[right]
            if after[left] >= 0:
                before[after[left]] = left
            for first, last in ((before[left], left), (left, after[left])):
                if min(first, last) >= 0 and (new := self._candidate(parts, first, last, halves)):
                    heapq.heappush(heap, new)
        found: list[tuple[int, str]] = []
        for part in parts:
            if part:
                self._take_apart(part, halves, found)
        return found

    def _candidate(
        self, parts: list[str], left: int, right: int, halves: dict[str, tuple[str, str]]
    ) -> Candidate | None:
        """The union of two neighbours, if it is a piece."""
        union = parts[left] + parts[right]
        found = self.spellings.get(union)
        if found is None or parts[left] in self.rules.literal or parts[right] in self.rules.literal:
            return None
        if found in self._unused:
            halves[union] = (parts[left], parts[right])
        return -self.scores[found], left, right, union

    def _take_apart(self, part: str, halves: dict[str, tuple[str, str]], found: list[tuple[int, str]]) -> None:
        """Write a piece down, or what it was made of where it is unused."""
        i = self.spellings.get(part, self.unknown)
        if i in self._unused and part in halves:
            for half in halves[part]:
                self._take_apart(half, halves, found)
        elif i is not None:
            found.append((i, part))

    @cached_property
    def _unused(self) -> frozenset[int]:
        return frozenset(i for i, kind in enumerate(self.kinds) if kind == Kind.UNUSED)
