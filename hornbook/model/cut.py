"""How ranks share a sublayer: words for its plan, which stands beside it and is carried out by train/tensor.py.

Shoeybi et al. 2019, Megatron-LM, section 3: the first matrix is cut by its outputs, the second by its inputs, and in
between every rank works on its own heads or channels without a message.
"""

from typing import Literal

Cut = Literal["columns", "rows", "partial"]
"""What becomes of a part of a sublayer.

columns: a matrix whose outputs are shared: every rank has some heads or channels.
rows: a matrix whose inputs are: what the ranks find is added up.
partial: whole on every rank, but seeing its share of the heads alone: its gradients are added up.
"""


def divides(ranks: int, **sizes: int) -> None:
    """Refuse ranks that cannot share these numbers of things alike."""
    for name, size in sizes.items():
        if size % ranks:
            raise ValueError(f"{ranks} ranks cannot share {name}: {size}; take a divisor of {size}")
