"""A mixture of experts: beside the sum written out token by token, and what becomes of those that nobody chose."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from hornbook.model.experts import Experts, ExpertsOp
from hornbook.model.mask import Sight
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.op import Context
from hornbook.model.position import PositionBase

CLOSE = {"rtol": 0, "atol": 2e-6}


def experts(dim: int = 12, **config: Any) -> ExpertsOp:
    built = Experts(**{"experts": 5, "active": 2, "expert": GatedMLP(hidden=20), **config}).build(dim)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / dim**0.5)
    return built.eval()


def context(time: int, **sight: Any) -> Context:
    return Context(PositionBase(), torch.arange(time)[None], Sight(time, **sight))


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def by_hand(op: ExpertsOp, x: Tensor) -> Tensor:
    """One token at a time."""
    rows = []
    for token in x.flatten(0, 1):
        shares = op.router(token).softmax(-1)
        best = shares.argsort(descending=True)[: op.config.active]
        total = shares[best].sum() if op.config.normalized else 1
        rows.append(sum(shares[i] / total * op.experts[int(i)](token[None, None], context(1))[0, 0] for i in best))
    return torch.stack(rows).view_as(x)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"active": 5},
        {"active": 1, "normalized": False},
        {"active": 3, "normalized": False, "expert": MLP(hidden=7, activation="relu", bias=True)},
        {"experts": 1, "active": 1, "normalized": False},
    ],
)
@pytest.mark.parametrize("shape", [(2, 9, 12), (1, 1, 12), (3, 1, 12)])
def test_the_answer_is_the_weighted_sum(config: dict[str, Any], shape: tuple[int, ...]) -> None:
    op, x = experts(**config), some(*shape).requires_grad_()
    for mode in (op.eval, op.train):
        mode()
        found, want = op(x, context(shape[1])), by_hand(op, x)
        torch.testing.assert_close(found, want, **CLOSE)
        gradients = [torch.autograd.grad(y.square().sum(), [x, op.router.weight]) for y in (found, want)]
        torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


def test_an_expert_that_nobody_chose_learns_nothing_and_has_a_gradient_of_zero() -> None:
    """Other machines may have chosen it: they wait for the gradient of every parameter from all."""
    op = experts().train()
    with torch.no_grad():
        op.router.weight[3] = 0
        op.router.weight[[0, 1, 2, 4]] = 1.0
    x = some(2, 6, 12).abs()  # so that expert 3 always has the smallest score
    op(x, context(6)).sum().backward()
    assert op.experts[3].gate.weight.grad.abs().max() == 0
    assert all(parameter.grad is not None for parameter in op.parameters())


def test_only_the_chosen_are_asked_while_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    op, asked = experts(), []
    for i, expert in enumerate(op.experts):
        _spy(monkeypatch, expert, lambda i=i: asked.append(i))
    op(some(1, 1, 12), context(1))
    assert len(asked) == 2


def _spy(monkeypatch: pytest.MonkeyPatch, module: torch.nn.Module, seen: Callable[[], None]) -> None:
    forward = module.forward

    def spied(*arguments: Any) -> Any:
        seen()
        return forward(*arguments)

    monkeypatch.setattr(module, "forward", spied)


def test_routes_are_told_in_training_only_and_padding_with_them() -> None:
    op, real = experts(), torch.tensor([[False, True, True], [True, True, True]])
    quiet, told = context(3), context(3, real=real)
    op(some(2, 3, 12), quiet)
    assert quiet.routed == []
    op.train()(some(2, 3, 12), told)
    (routed,) = told.routed
    assert torch.equal(routed.real, real.flatten())
    assert (routed.probabilities.shape, routed.chosen.shape, routed.weight) == ((6, 5), (6, 2), 0.01)
    silent = context(3)
    experts(balance=0.0).train()(some(2, 3, 12), silent)
    assert silent.routed == []


def test_flops_are_those_of_the_active() -> None:
    assert experts().flops(100) == 2 * 12 * 5 + 2 * (2 * 3 * 12 * 20)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"active": 6}, "active: 6 of 5 experts"),
        ({"active": 0}, "active: 0 of 5 experts"),
        ({"active": 1}, "teaches the router nothing"),
        ({"balance": -1.0}, "balance: -1.0"),
    ],
)
def test_what_cannot_work_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        experts(**config)
