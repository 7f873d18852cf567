"""Norms of queries and keys: each head by itself, or all as one vector."""

import pytest
import torch

from hornbook.model.attention import Attention
from hornbook.model.head_norm import AcrossHeads, build
from hornbook.model.norm import LayerNorm, RMSNorm


def test_one_head_may_be_large_only_across_heads() -> None:
    x = torch.ones(1, 1, 4, 6)
    x[:, :, 0] = 10
    alone = build(RMSNorm(eps=1e-12), 6, 4)(x)
    torch.testing.assert_close(alone, torch.ones(1, 1, 4, 6))
    together = build(AcrossHeads(norm=RMSNorm(eps=1e-12)), 6, 4)(x)
    torch.testing.assert_close(together, x / ((100 + 3) / 4) ** 0.5)


def test_across_heads_is_the_norm_of_the_whole_projection() -> None:
    x = torch.randn(2, 5, 3, 8, generator=torch.Generator().manual_seed(0))
    norm = build(AcrossHeads(norm=LayerNorm(eps=1e-3)), 8, 3)
    want = torch.nn.functional.layer_norm(x.flatten(2), (24,), eps=1e-3)
    torch.testing.assert_close(norm(x).flatten(2), want)


def test_queries_and_keys_have_norms_of_their_own_widths() -> None:
    op = Attention(heads=4, kv_heads=2, qk_norm=AcrossHeads(norm=RMSNorm())).build(24)
    assert {name: tuple(p.shape) for name, p in op.named_parameters() if "norm" in name} == {
        "query_norm.whole.weight": (24,),
        "key_norm.whole.weight": (12,),
    }


@pytest.mark.parametrize("config", [None, RMSNorm(gain=False)])
def test_what_learns_nothing_has_no_parameters(config: RMSNorm | None) -> None:
    assert not list(build(config, 8, 3).parameters())
