"""Norms by their formulas."""

import pytest
import torch

from hornbook.model.norm import LayerNorm, RMSNorm

X = torch.tensor([[3.0, 4.0, 0.0, 0.0]])


def test_rms_norm_divides_by_the_root_mean_square() -> None:
    """sqrt((9 + 16) / 4) = 2.5"""
    for gain in (False, True):
        torch.testing.assert_close(RMSNorm(eps=0.0, gain=gain).build(4)(X), torch.tensor([[1.2, 1.6, 0.0, 0.0]]))
    assert not list(RMSNorm(gain=False).build(4).parameters())


def test_layer_norm_takes_the_mean_away_first() -> None:
    found = LayerNorm(eps=0.0, gain=False, bias=False).build(4)(X)
    centred = X - 1.75
    torch.testing.assert_close(found, centred / centred.square().mean().sqrt())


def test_a_bias_without_gain_is_refused() -> None:
    with pytest.raises(ValueError, match="bias: true needs gain: true"):
        LayerNorm(gain=False)
