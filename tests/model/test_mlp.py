"""Feed-forward sublayers by their formulas; activations at known points."""

import math

import pytest
import torch

from hornbook.model.mlp import ACTIVATIONS, MLP, GatedMLP


@pytest.mark.parametrize(
    ("name", "at_minus_one", "at_two"),
    [
        ("relu", 0.0, 2.0),
        ("relu2", 0.0, 4.0),
        ("silu", -1 / (1 + math.e), 2 / (1 + math.exp(-2))),
        ("gelu", -0.5 * (1 + math.erf(-1 / math.sqrt(2))), 1 + math.erf(math.sqrt(2))),
        ("gelu_tanh", -0.158808, 1.954598),  # the GELU paper's formula, worked out by hand
    ],
)
def test_activations(name: str, at_minus_one: float, at_two: float) -> None:
    found = ACTIVATIONS[name](torch.tensor([-1.0, 2.0])).tolist()
    assert found == pytest.approx([at_minus_one, at_two], abs=1e-5)


@torch.no_grad()
def test_plain_and_gated() -> None:
    x = torch.randn(2, 3, 4)
    for config in (MLP(hidden=6, activation="relu2", bias=True), GatedMLP(hidden=6, bias=True)):
        op = config.build(4)
        for parameter in op.parameters():
            parameter.normal_()
        up = x @ op.up.weight.T + op.up.bias
        if isinstance(config, GatedMLP):
            gate = x @ op.gate.weight.T + op.gate.bias
            inside = gate * torch.sigmoid(gate) * up
        else:
            inside = up.clamp(min=0) ** 2
        torch.testing.assert_close(op(x, None), inside @ op.output.weight.T + op.output.bias)
