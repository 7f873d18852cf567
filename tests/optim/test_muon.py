"""Muon against torch's own and against the singular value decomposition."""

import pytest
import torch
from torch import Tensor, nn

from hornbook.optim.adamw import AdamW
from hornbook.optim.muon import QUINTIC, Muon, orthogonal


def by_svd(matrix: Tensor, steps: int) -> Tensor:
    """What Newton-Schulz does, done on the singular values themselves, in float64."""
    u, s, v = torch.linalg.svd(matrix.double(), full_matrices=False)
    s = s / s.norm()
    for _ in range(steps):
        s = QUINTIC[0] * s + QUINTIC[1] * s**3 + QUINTIC[2] * s**5
    return u @ torch.diag(s) @ v


@pytest.mark.parametrize("shape", [(16, 16), (8, 40), (40, 8), (1, 5)])
@pytest.mark.parametrize("steps", [1, 3, 5, 12])
def test_newton_schulz_is_the_quintic_on_the_singular_values(shape: tuple[int, int], steps: int) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(steps))
    # fp32; the polynomial is steep, so errors grow with every step
    assert torch.allclose(orthogonal(matrix[None], steps)[0].double(), by_svd(matrix, steps), atol=1e-4 * steps)


@pytest.mark.parametrize("smallest", [1e-2, 1e-4, 1e-8, 0.0])
@pytest.mark.parametrize("columns", [64, 256])
def test_small_singular_values_do_no_harm(smallest: float, columns: int) -> None:
    """Gradients have few large singular values and many tiny ones."""
    generator = torch.Generator().manual_seed(0)
    u, _ = torch.linalg.qr(torch.randn(64, 64, generator=generator))
    v, _ = torch.linalg.qr(torch.randn(columns, 64, generator=generator))
    values = torch.cat([torch.ones(4), torch.linspace(smallest, 2 * smallest, 60)])
    matrix = u @ torch.diag(values) @ v.T
    error = orthogonal(matrix[None], 5)[0].double() - by_svd(matrix, 5)
    assert error.norm() < 1e-3 * by_svd(matrix, 5).norm()


def test_many_steps_stay_bounded() -> None:
    """The Gram matrix's rounding errors, left to grow for ten steps, would be 1e10."""
    generator = torch.Generator().manual_seed(0)
    u, _ = torch.linalg.qr(torch.randn(64, 64, generator=generator))
    v, _ = torch.linalg.qr(torch.randn(256, 64, generator=generator))
    matrix = u @ torch.diag(torch.logspace(0, -8, 64)) @ v.T
    values = torch.linalg.svdvals(orthogonal(matrix[None], 12)[0])
    assert values.isfinite().all()
    assert values.max() < 1.25


def test_a_stack_equals_its_matrices_one_by_one() -> None:
    stack = (
        torch.randn(3, 12, 20, generator=torch.Generator().manual_seed(0)) * torch.tensor([1e-4, 1, 1e4])[:, None, None]
    )
    together = orthogonal(stack, 5)
    for matrix, result in zip(stack, together, strict=True):
        assert torch.allclose(orthogonal(matrix[None], 5)[0], result, atol=1e-5)


def test_five_steps_leave_singular_values_near_one() -> None:
    matrix = torch.randn(1, 64, 256, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix, 5))
    assert 0.65 < values.min() < values.max() < 1.25  # Jordan 2024: between 0.7 and 1.2 or so
    assert torch.equal(orthogonal(torch.zeros(1, 4, 4), 5), torch.zeros(1, 4, 4))


@pytest.mark.parametrize("shape", [(24, 16), (16, 24)])
def test_steps_equal_the_formula_in_float64(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(shape[1], shape[0], bias=False)
    config = Muon(lr=0.05, momentum=0.9, weight_decay=0.1)
    optimizer = config.build(layer)
    weight, momentum = layer.weight.detach().double(), torch.zeros(shape, dtype=torch.float64)
    for _ in range(5):
        gradient = torch.randn(shape, generator=generator)
        layer.weight.grad = gradient.clone()
        optimizer.step()
        momentum = 0.9 * momentum + 0.1 * gradient.double()
        update = by_svd(0.1 * gradient.double() + 0.9 * momentum, 5) * max(1, shape[0] / shape[1]) ** 0.5
        weight = weight * (1 - 0.05 * 0.1) - 0.05 * update
    assert torch.allclose(layer.weight.double(), weight, atol=1e-4)


def test_equals_torch_muon_up_to_its_bfloat16() -> None:
    generator = torch.Generator().manual_seed(0)
    ours, theirs = nn.Linear(32, 48, bias=False), nn.Linear(32, 48, bias=False)
    theirs.load_state_dict(ours.state_dict())
    start = ours.weight.detach().clone()
    optimizer = Muon(lr=0.02, weight_decay=0.1).build(ours)
    reference = torch.optim.Muon(theirs.parameters(), lr=0.02, weight_decay=0.1, momentum=0.95)
    for _ in range(4):
        ours.weight.grad = torch.randn(48, 32, generator=generator)
        theirs.weight.grad = ours.weight.grad.clone()
        optimizer.step()
        reference.step()
    moved = (theirs.weight - start).norm()
    assert (ours.weight - theirs.weight).norm() < 0.03 * moved  # bfloat16 keeps 8 bits


def test_the_rest_goes_to_adam_with_its_own_rate() -> None:
    model = nn.ModuleDict({"embed": nn.Embedding(5, 4), "head": nn.Linear(4, 5, bias=False), "norm": nn.LayerNorm(4)})
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = Muon(lr=0.5, adam=AdamW(lr=0.001, weight_decay=0)).build(model)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    for name, value in model.named_parameters():
        assert torch.allclose(before[name] - value, torch.full_like(value, 0.001), atol=1e-6)


def test_a_model_of_matrices_only_and_a_missing_gradient() -> None:
    layer = nn.Linear(4, 4, bias=False)
    before = layer.weight.detach().clone()
    optimizer = Muon().build(layer)
    optimizer.step()
    assert torch.equal(layer.weight, before)
    assert optimizer.state_tensors() == {}
    with pytest.raises(ValueError, match="parameter the model has not"):
        optimizer.load_state_tensors({"bias/exp_avg": torch.zeros(4)})


def test_values_that_do_not_fit_are_refused() -> None:
    for bad in ({"lr": 0}, {"momentum": 1}, {"weight_decay": -1}, {"steps": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Muon(**bad)
