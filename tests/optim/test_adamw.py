"""AdamW against the plain formula, the course's vectors and a first step worked by hand."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from hornbook.optim.adamw import AdamW


def plain_adamw(config: AdamW, weight: Tensor, gradients: list[Tensor]) -> Tensor:
    """Algorithm 2 of the paper, line by line, in float64."""
    weight, m, v = weight.double(), 0.0, 0.0
    for t, gradient in enumerate((g.double() for g in gradients), start=1):
        m = config.beta1 * m + (1 - config.beta1) * gradient
        v = config.beta2 * v + (1 - config.beta2) * gradient**2
        m_hat, v_hat = m / (1 - config.beta1**t), v / (1 - config.beta2**t)
        weight = weight - config.lr * (m_hat / (v_hat**0.5 + config.epsilon) + config.weight_decay * weight)
    return weight


def test_the_first_step_by_hand() -> None:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, -2.0]]))
        layer.bias.fill_(0.5)
    optimizer = AdamW(lr=0.1, weight_decay=0.2).build(layer)
    layer(torch.tensor([[3.0, -4.0]])).sum().backward()  # the gradients are 3, -4 and 1
    optimizer.step()
    # a first step has length lr against the gradient's sign; the matrix loses 0.1 * 0.2 of itself, the bias nothing
    assert layer.weight.tolist()[0] == pytest.approx([1 - 0.02 - 0.1, -2 + 0.04 + 0.1])
    assert layer.bias.item() == pytest.approx(0.4)


def test_many_steps_equal_the_plain_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(17, 9, bias=False)
    config = AdamW(lr=3e-3, beta2=0.99, weight_decay=0.3)
    start, gradients = layer.weight.detach().clone(), [torch.randn(9, 17, generator=generator) for _ in range(50)]
    optimizer = config.build(layer)
    for gradient in gradients:
        layer.weight.grad = gradient.clone()
        optimizer.step()
    # fp32 rounding of 50 steps against float64
    assert torch.allclose(layer.weight.double(), plain_adamw(config, start, gradients), atol=2e-6, rtol=0)


def test_the_course_vectors(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "vectors/cs336_a1_adamw.json").read_text())
    given = vectors["hyperparameters"]
    layer = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(vectors["W0"]))
    config = AdamW(
        lr=given["lr"],
        beta1=given["betas"][0],
        beta2=given["betas"][1],
        epsilon=given["eps"],
        weight_decay=given["weight_decay"],
    )
    optimizer = config.build(layer)
    for x in torch.tensor(vectors["x"]):
        optimizer.zero_grad()
        target = torch.stack([x[0] + x[1], -x[2]])
        ((target - layer(x)) ** 2).sum().backward()
        optimizer.step()
    assert torch.allclose(layer.weight, torch.tensor(vectors["expected_W_torch_AdamW"]), atol=1e-6)
    assert torch.allclose(layer.weight, torch.tensor(vectors["expected_W_reference"]), atol=vectors["atol"])


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="lr 0"):
        AdamW(lr=0)
    with pytest.raises(ValueError, match="beta2 1"):
        AdamW(beta2=1)
    with pytest.raises(ValueError, match="negative"):
        AdamW(weight_decay=-1)
