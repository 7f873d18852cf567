"""Which rows of unequal length are read together: padding is work for nothing, and so is a pass of few tokens.

A pass reads all weights, whatever its size; on a CPU that costs as much as PASS tokens do (a product of 64 rows by the
matrices of a small model runs at 73 GFLOP/s where one of 512 runs at 90). The cheapest way to cut a sorted list into
passes is found by trying every last pass of every beginning of the list.
"""

from collections.abc import Sequence

from hornbook.model.attention import KeyValues, SelfAttention
from hornbook.model.decoder import DecoderModel
from hornbook.model.position import PositionBase

PASS = 16  # tokens: what a pass costs besides its tokens
TOKENS = 512  # of a pass at most: matrices are busy, what lies between them stays in the cache


def passes(lengths: Sequence[int], sizes: Sequence[int], room: int, *, padded: bool) -> list[range]:
    """Places of rows, longest first, that are read together; `sizes` of a pass may be `room` together at most.

    One row alone always fits. Not `padded`: rows of one pass have one length.

    >>> passes([9, 9, 8, 6, 6], [0] * 5, 0, padded=True)
    [range(0, 5)]
    >>> passes([90, 90, 88, 10, 10], [0] * 5, 0, padded=True)
    [range(0, 3), range(3, 5)]
    >>> passes([9, 9, 8, 1, 1], [1, 1, 1, 1, 1], 1, padded=False)
    [range(0, 1), range(1, 2), range(2, 3), range(3, 4), range(4, 5)]
    """
    cheapest, begins = [0], [0]
    for end in range(1, len(lengths) + 1):
        best, begin, taken = -1, end - 1, 0
        for start in range(end - 1, -1, -1):
            taken += sizes[start]
            rows = end - start
            unlike = not padded and lengths[start] != lengths[end - 1]
            if rows > 1 and (unlike or taken > room or rows * lengths[start] > TOKENS):
                break
            cost = cheapest[start] + rows * lengths[start] + PASS
            if best < 0 or cost < best:
                best, begin = cost, start
        cheapest.append(best)
        begins.append(begin)
    found, end = [], len(lengths)
    while end:
        found.append(range(begins[end], end))
        end = begins[end]
    return found[::-1]


def takes_padding(model: DecoderModel, tokens: int) -> bool:
    """Whether rows may have padding between remembered and new tokens: all that looks back goes by positions alone."""
    counted_by_index = type(model.stack.position).bias is not PositionBase.bias
    layers = model.new_state(1, 1).layers
    plain = all(kept is None or isinstance(kept, KeyValues) for layer in layers for kept in layer)
    windows = [module.config.window for module in model.modules() if isinstance(module, SelfAttention)]
    return plain and not counted_by_index and not any(window and window < tokens for window in windows)


def state_bytes(model: DecoderModel) -> int:
    """Bytes that a model remembers for each token it has read."""
    size = next(model.parameters()).element_size()
    return size * sum(module.cache_elements() for module in model.modules() if isinstance(module, SelfAttention))
