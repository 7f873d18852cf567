"""The product of attention: fused and plain are the same numbers, caps and masks included."""

import pytest
import torch
import torch.nn.functional as F

from hornbook.model.attend import Attend


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


Q, K, V = some(2, 6, 7, 8), some(2, 3, 7, 8, seed=1), some(2, 3, 7, 5, seed=2)
HIDDEN = torch.rand(2, 1, 7, 7, generator=torch.Generator().manual_seed(3)) < 0.3
SEEN = ~HIDDEN | torch.eye(7, dtype=torch.bool)
BIAS = some(6, 7, 7, seed=4)


@pytest.mark.parametrize("scale", [None, 0.2])
@pytest.mark.parametrize(("mask", "causal"), [(None, False), (None, True), (SEEN, False), (BIAS, False)])
def test_the_kernel_takes_what_the_weights_say(scale: float | None, mask: torch.Tensor | None, causal: bool) -> None:
    attend = Attend(scale, None, 0.0)
    weights = attend.weights(Q, K, mask, causal=causal)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6, 7))
    torch.testing.assert_close(attend(Q, K, V, mask, causal=causal), weights @ V.repeat_interleave(2, 1))


def test_causal_weights_ahead_are_zero() -> None:
    weights = Attend(None, None, 0.0).weights(Q, K, None, causal=True)
    assert (weights[..., torch.ones(7, 7).triu(1).bool()] == 0).all()


def test_a_soft_cap_bounds_the_scores_before_the_softmax() -> None:
    attend = Attend(1.0, 2.0, 0.0)
    scores = 2 * torch.tanh(Q @ K.repeat_interleave(2, 1).transpose(-2, -1) / 2)
    want = scores.masked_fill(~SEEN, float("-inf")).softmax(-1) @ V.repeat_interleave(2, 1)
    torch.testing.assert_close(attend(Q, K, V, SEEN), want)
    assert not torch.allclose(want, Attend(1.0, None, 0.0)(Q, K, V, SEEN), atol=1e-2)


def test_without_a_mask_the_kernel_is_told_causal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tensor of (time, time) is made where the order alone hides things."""
    told: list[tuple[object, bool]] = []
    kernel = F.scaled_dot_product_attention

    def spy(*tensors: torch.Tensor, attn_mask: object, is_causal: bool, **options: object) -> torch.Tensor:
        told.append((attn_mask, is_causal))
        answer: torch.Tensor = kernel(*tensors, attn_mask=attn_mask, is_causal=is_causal, **options)  # type: ignore[arg-type]
        return answer

    monkeypatch.setattr(F, "scaled_dot_product_attention", spy)
    attend = Attend(None, None, 0.0)
    attend(Q, K, V, None, causal=True)
    attend(Q[:, :, -1:], K, V, None, causal=True)  # one query, the last: nothing is ahead of it
    assert told == [(None, True), (None, False)]
