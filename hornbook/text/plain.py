"""Byte-pair encoding in the clear: encode and decode as the papers describe them, to check the fast ones by.

Sennrich et al., 2016 (merging) and Radford et al., 2019 (on bytes). Slow: the cost of a piece grows with its square.
"""

import itertools
from collections.abc import Mapping, Sequence

from hornbook.text.pretokenize import split


def encode(text: str, ranks: Mapping[bytes, int], *, pattern: str) -> list[int]:
    """The ids of a text without special tokens: cut it into pieces, merge inside each."""
    ids = []
    for piece in split(pattern).pieces(whole(text)):
        ids += [ranks[token] for token in merge(piece.encode(), ranks)]
    return ids


def merge(piece: bytes, ranks: Mapping[bytes, int], *, below: int | None = None) -> list[bytes]:
    """Join neighbours whose union has the lowest rank, the leftmost first, until no union is known.

    With `below`, only tokens of a lower rank may be made: the two that remain of a token are those it was merged from.

    >>> merge(b"hello", {b"h": 0, b"e": 1, b"l": 2, b"o": 3, b"ll": 4, b"he": 5, b"hell": 6})
    [b'hell', b'o']
    """
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while True:
        unions = [
            (ranks[left + right], i)
            for i, (left, right) in enumerate(itertools.pairwise(parts))
            if left + right in ranks
        ]
        best, i = min(unions, default=(-1, -1))
        if i < 0 or (below is not None and best >= below):
            return parts
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def halves(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens that a token was merged from: what encoding leaves of it when nothing as late may be made.

    >>> halves(b"hell", {b"h": 0, b"e": 1, b"l": 2, b"o": 3, b"ll": 4, b"he": 5, b"hell": 6})
    (b'he', b'll')
    """
    rank = ranks[token]
    pairs = [(token[:i], token[i:]) for i in range(1, len(token))]
    older = [pair for pair in pairs if ranks.get(pair[0], rank) < rank and ranks.get(pair[1], rank) < rank]
    if len(older) == 1:
        return older[0]
    left, right = merge(token, ranks, below=rank)
    return left, right


def whole(text: str) -> str:
    """Text that UTF-8 can hold: halves of a surrogate pair are joined, a lone one becomes U+FFFD.

    >>> whole("a\\ud83d\\ude00b\\ud83d") == "a\\U0001f600b\\ufffd"
    True
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def decode(ids: Sequence[int], tokens: Mapping[int, bytes]) -> str:
    """The text of some ids: their bytes end to end; what is no UTF-8 becomes U+FFFD."""
    return b"".join(tokens[i] for i in ids).decode("utf-8", "replace")
