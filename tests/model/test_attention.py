"""Attention against hand-made attention: the book's published numbers, repeated heads, masks and statistics."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hornbook.model.attention import Attention, SelfAttention
from hornbook.model.decoder import Decoder
from hornbook.model.embed import Tokens
from hornbook.model.mask import Sight
from hornbook.model.norm import RMSNorm
from hornbook.model.op import Context
from hornbook.model.position import PositionBase
from hornbook.model.rope import Rope
from hornbook.model.stack import Stack

CLOSE = {"rtol": 0, "atol": 2e-6}


def context(time: int, position: PositionBase | None = None, **sight: Any) -> Context:
    position, positions = position or PositionBase(), torch.arange(time)[None]
    return Context(position, positions, Sight(time, **sight))


def attention(dim: int = 24, **config: Any) -> SelfAttention:
    built = Attention(**config).build(dim)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / math.sqrt(dim))
    return built.eval()


def by_hand(op: SelfAttention, x: Tensor, visible: Tensor) -> Tensor:
    """The formula, a head and a row at a time."""
    queries, keys, values = op.query(x), op.key(x), op.value(x)
    width, group, heads = op.head_dim, op.heads // op.kv_heads, []
    for head in range(op.heads):
        q = queries[..., head * width : (head + 1) * width]
        k, v = (t[..., head // group * width : (head // group + 1) * width] for t in (keys, values))
        scores = q @ k.transpose(-1, -2) * (op.config.scale or width**-0.5)
        heads.append(scores.masked_fill(~visible, -math.inf).softmax(-1) @ v)
    return op.output(torch.cat(heads, -1))


@pytest.mark.parametrize("kv_heads", [4, 2, 1])
@torch.no_grad()
def test_every_mask_is_the_formula(kv_heads: int) -> None:
    x = torch.randn(2, 9, 24, generator=torch.Generator().manual_seed(1))
    gap = torch.arange(9)[:, None] - torch.arange(9)
    for config, visible in [
        ({}, gap >= 0),
        ({"causal": False}, gap > -99),
        ({"window": 3}, (gap >= 0) & (gap < 3)),
        ({"window": 3, "causal": False}, gap.abs() < 3),
        ({"scale": 0.7, "head_dim": 10}, gap >= 0),
    ]:
        op = attention(heads=4, kv_heads=kv_heads, bias=True, output_bias=True, **config)
        torch.testing.assert_close(op(x, context(9)), by_hand(op, x, visible), **CLOSE)


@torch.no_grad()
def test_the_fast_path_is_the_masked_path() -> None:
    x = torch.randn(2, 9, 24, generator=torch.Generator().manual_seed(1))
    op, fast = attention(heads=4), context(9)
    assert fast.mask(causal=True, window=None) is None
    slow = context(9, real=torch.ones(2, 9, dtype=torch.bool))
    assert slow.mask(causal=True, window=None) is not None
    torch.testing.assert_close(op(x, fast), op(x, slow), **CLOSE)


@torch.no_grad()
def test_grouped_heads_are_repeated_heads() -> None:
    x = torch.randn(2, 7, 24, generator=torch.Generator().manual_seed(1))
    grouped, full = attention(heads=6, kv_heads=2), attention(heads=6)
    full.load_state_dict(grouped.state_dict() | {"key.weight": full.key.weight, "value.weight": full.value.weight})
    for name in ("key", "value"):
        heads = getattr(grouped, name).weight.unflatten(0, (2, 4))
        getattr(full, name).weight.copy_(heads.repeat_interleave(3, 0).flatten(0, 1))
    torch.testing.assert_close(grouped(x, context(7)), full(x, context(7)), **CLOSE)
    assert grouped.cache_elements() * 3 == full.cache_elements()


@torch.no_grad()
def test_qk_norm_makes_scores_blind_to_the_size_of_the_stream() -> None:
    x = torch.randn(1, 7, 24, generator=torch.Generator().manual_seed(1))
    op = attention(heads=4, qk_norm=RMSNorm(eps=1e-12, gain=False))
    torch.testing.assert_close(op(10 * x, context(7)), 10 * op(x, context(7)), rtol=0, atol=1e-5)


@torch.no_grad()
def test_dropout_drops_its_share_of_weights_while_training_only() -> None:
    op = attention(heads=1, dim=64, dropout=0.25, causal=False)
    op.key.weight.zero_()  # every weight is 1/time; a value of ones counts what is left of them
    op.value.weight.copy_(torch.eye(64))
    op.output.weight.copy_(torch.eye(64))
    x = torch.ones(64, 50, 64)
    torch.testing.assert_close(op(x, context(50)), x)
    torch.manual_seed(0)
    kept = op.train()(x, context(50))[..., 0]  # (batch, time): sum of kept weights / (1 - dropout)
    assert kept.mean().item() == pytest.approx(1.0, abs=0.01)
    expected = math.sqrt(0.25 / 0.75 / 50)  # of a mean of 50 Bernoulli draws, scaled
    assert kept.std().item() == pytest.approx(expected, rel=0.05)


class Alibi(PositionBase):
    """Press et al. 2022, as a probe of the `bias` hook."""

    def bias(self, queries: Tensor, keys: Tensor) -> Tensor:
        return -0.3 * (queries[:, None] - keys[None]).abs() * torch.ones(4, 1, 1)


@torch.no_grad()
def test_a_position_may_bias_the_scores() -> None:
    x = torch.randn(2, 9, 24, generator=torch.Generator().manual_seed(1))
    op, gap = attention(heads=4), torch.arange(9)[:, None] - torch.arange(9)
    q, k, v = (f(x).unflatten(-1, (4, 6)).transpose(1, 2) for f in (op.query, op.key, op.value))
    scores = (q @ k.transpose(-1, -2) / math.sqrt(6) - 0.3 * gap.abs()).masked_fill(gap < 0, -math.inf)
    expected = op.output((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(op(x, context(9, Alibi())), expected, **CLOSE)
    keep = torch.ones(2, 9, dtype=torch.bool)
    torch.testing.assert_close(op(x, context(9, Alibi(), real=keep)), expected, **CLOSE)


@pytest.fixture(scope="module")
def published(shared_data: Path) -> Any:
    """Outputs printed in Raschka's "Build a Large Language Model", chapter 3, with the weights that gave them."""
    return json.loads((shared_data / "vectors" / "rasbt_published.json").read_text())


@torch.no_grad()
def test_the_books_self_attention(published: Any) -> None:
    """Chapter 3.4.2: one head of two channels over six words of three, without a mask."""
    found, x = published["self_attention_v2"], torch.tensor(published["ch03_inputs"])[None]
    op = attention(dim=3, heads=1, head_dim=2, causal=False)
    _fill(op, found)
    q, k, v = (f(x).unflatten(-1, (1, 2)).transpose(1, 2) for f in (op.query, op.key, op.value))
    torch.testing.assert_close(op.attend(q, k, v, None)[0, 0], torch.tensor(found["output"]), rtol=0, atol=1e-5)
    causal = attention(dim=3, heads=1, head_dim=2)
    weights = causal.attend(q, k, torch.eye(6).expand(1, 1, 6, 6), None, causal=True)[
        0, 0
    ]  # values of 1: the weights themselves
    torch.testing.assert_close(weights, torch.tensor(found["causal_weights"]), rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_books_multi_head_attention(published: Any) -> None:
    """Chapter 3.6.2: two causal heads and an output projection."""
    found, x = published["multihead_attention"], torch.tensor(published["ch03_inputs"])[None]
    op = attention(dim=3, heads=2, head_dim=1)
    _fill(op, found)
    op.output = torch.nn.Linear(2, 2)
    op.output.weight.copy_(torch.tensor(found["out_proj.weight"]))
    op.output.bias.copy_(torch.tensor(found["out_proj.bias"]))
    torch.testing.assert_close(op(x, context(6))[0], torch.tensor(found["output_row0"]), rtol=0, atol=1e-5)


def _fill(op: SelfAttention, found: dict[str, Any]) -> None:
    for name in ("query", "key", "value"):
        getattr(op, name).weight.copy_(torch.tensor(found[f"W_{name}"]))


@pytest.mark.parametrize("more", [{}, {"kv_heads": 2}, {"causal": False}, {"soft_cap": 3.0}])
def test_documents_one_by_one_are_documents_behind_a_mask(more, monkeypatch) -> None:
    torch.manual_seed(0)
    stack = Stack(layers=2, norm=RMSNorm(), position=Rope(), layer=(Attention(heads=4, **more),))
    model = Decoder(dim=32, length=24, embed=Tokens(vocab=40), stack=stack).build().eval()
    ids = torch.randint(40, (3, 24))
    documents = torch.repeat_interleave(torch.tensor([0, 1, 2, 5]), torch.tensor([7, 1, 10, 6])).expand(3, 24).int()
    found = []
    for spans in (Context.spans, lambda self, **_: None):
        monkeypatch.setattr(Context, "spans", spans)
        loss = model(ids, document_ids=documents).logits.square().mean()
        found.append((loss, *torch.autograd.grad(loss, list(model.parameters()))))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
