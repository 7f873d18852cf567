"""Count the distinct pieces of a corpus: all that training a tokenizer needs to know of it, in bounded memory.

The text is cut into parcels of a fixed size, each counted by itself (in another process when there are several) and
added up in order, so the result is the same whatever the number of processes. When the distinct pieces outgrow
MAX_DISTINCT, those seen least are forgotten until half is left; a merge that matters is seen too often to notice.
"""

import itertools
import multiprocessing
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Protocol

from hornbook.text.pretokenize import SplitName, split

PARCEL = 1 << 21  # characters counted at once: long enough that handing a parcel over costs little
FIRST = 4  # parcels counted before other processes are started, which takes as long
MAX_DISTINCT = 1 << 24  # characters of distinct pieces kept: some two million pieces, about 300 MB
LONGEST = 256  # characters; a longer run without a boundary is no word and is counted in slices

Parcel = list[str]


class Cutter(Protocol):
    """A way to cut text into pieces; a worker process gets a copy."""

    def find(self, block: str) -> list[str]:
        """The pieces of a short text."""
        ...

    def blocks(self, text: str, longest: int | None = None) -> Iterator[str]:
        """The text divided where no piece is cut; through a piece only after `longest` characters without a gap."""
        ...


def count_pieces(
    texts: Iterable[str], cutter: SplitName | Cutter, *, processes: int, progress: Callable[[int], None] | None = None
) -> Counter[str]:
    """How often each piece occurs in the texts; `progress` hears the characters counted so far."""
    total: Counter[str] = Counter()
    seen = 0
    for counted, characters in _in_order(_parcels(texts), cutter, processes):
        total.update(counted)
        if sum(map(len, total)) > MAX_DISTINCT:
            total = forget_rare(total, MAX_DISTINCT // 2)
        seen += characters
        if progress is not None:
            progress(seen)
    return total


def count_parcel(parcel: Parcel, cutter: SplitName | Cutter) -> tuple[Counter[str], int]:
    """The pieces of some texts, and how many characters they hold."""
    counts: Counter[str] = Counter()
    cutter = split(cutter) if isinstance(cutter, str) else cutter
    for text in parcel:
        for block in cutter.blocks(text, longest=LONGEST * LONGEST):
            counts.update(cutter.find(block))
    for piece in [piece for piece in counts if len(piece) > LONGEST]:
        number = counts.pop(piece)
        for start in range(0, len(piece), LONGEST):
            counts[piece[start : start + LONGEST]] += number
    return counts, sum(map(len, parcel))


def forget_rare(counts: Counter[str], keep: int) -> Counter[str]:
    """The pieces seen most, as many as `keep` characters hold; among equals the first ones seen.

    >>> forget_rare(Counter(mat=1, the=9, sat=1, cat=2), 9)
    Counter({'the': 9, 'cat': 2, 'mat': 1})
    """
    held = itertools.accumulate(len(piece) for piece, _ in counts.most_common())
    return Counter(dict(pair for pair, size in zip(counts.most_common(), held, strict=True) if size <= keep))


def _parcels(texts: Iterable[str]) -> Iterator[Parcel]:
    """Texts gathered until they fill a parcel; a text longer than that is a parcel of its own."""
    parcel: Parcel = []
    size = 0
    for text in texts:
        if parcel and size + len(text) > PARCEL:
            yield parcel
            parcel, size = [], 0
        parcel.append(text)
        size += len(text)
    if parcel:
        yield parcel


def _in_order(
    parcels: Iterator[Parcel], cutter: SplitName | Cutter, processes: int
) -> Iterator[tuple[Counter[str], int]]:
    """Count every parcel: the first ones here, and if there are more, the rest in other processes."""
    yield from (count_parcel(parcel, cutter) for parcel in itertools.islice(parcels, FIRST if processes > 1 else None))
    more = next(parcels, None)
    if more is None:
        return
    waiting: deque[Future[tuple[Counter[str], int]]] = deque()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for parcel in itertools.chain([more], parcels):
            waiting.append(pool.submit(count_parcel, parcel, cutter))
            if len(waiting) > processes:  # never more parcels in memory than are being worked on
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
