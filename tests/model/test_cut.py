"""Who can share what."""

import pytest

from hornbook.model.attention import Attention
from hornbook.model.cut import divides
from hornbook.model.head_norm import AcrossHeads
from hornbook.model.mlp import MLP
from hornbook.model.norm import RMSNorm


def test_only_divisors_share():
    divides(2, heads=4, hidden=6)
    with pytest.raises(ValueError, match="4 ranks cannot share hidden: 6; take a divisor of 6"):
        divides(4, heads=4, hidden=6)


def test_heads_of_keys_are_shared_too():
    with pytest.raises(ValueError, match="4 ranks cannot share kv_heads: 2"):
        Attention(heads=4, kv_heads=2).build(16).cut(4)
    with pytest.raises(ValueError, match="norm across all heads"):
        Attention(heads=4, qk_norm=AcrossHeads(norm=RMSNorm())).build(16).cut(2)


def test_channels_are_shared():
    with pytest.raises(ValueError, match="2 ranks cannot share hidden: 7"):
        MLP(hidden=7).build(4).cut(2)
