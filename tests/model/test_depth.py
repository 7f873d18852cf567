"""What the wiring does to deep stacks: where gradients vanish, and which learning rates are too high."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.core import recipe
from hornbook.model.decoder import Decoder, DecoderModel


def made(placement: str, layers: int, gain: float, *more: str) -> DecoderModel:
    """A narrow deep decoder with the initialisation of Glorot and Bengio (2010), as the Transformer of 2017 has it."""
    overrides = [f"stack.layers={layers}", f"stack.placement={placement}", "dim=32", "head.tied=false", *more]
    model, generator = (
        recipe.load(Decoder, "models/residual-dual-tiny", overrides).build(),
        torch.Generator().manual_seed(0),
    )
    for module in model.stack.layers.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight, gain=gain, generator=generator)
    return model


def bottom_to_top(placement: str) -> float:
    """Gradient norms of the output matrices of the four lowest of 48 layers, over those of the four highest."""
    model = made(placement, 48, 2**0.5, "init={type: normal, std: 1.0}")  # the gain that ReLU wants (He et al. 2015)
    with torch.no_grad():
        model.head.weight.mul_(32**-0.5)
    ids = torch.randint(0, 131, (4, 33), generator=torch.Generator().manual_seed(1))
    loss = F.cross_entropy(model(ids[:, :-1]).logits.flatten(0, 1), ids[:, 1:].flatten())
    loss.backward()  # type: ignore[no-untyped-call]
    norms = [sum(op.op.output.weight.grad.norm().item() for op in layer) for layer in model.stack.layers]
    return sum(norms[:4]) / sum(norms[-4:])


def test_residuals_gradients_reach_the_bottom_where_post_norms_vanish() -> None:
    """Xie et al. 2023, figure 2."""
    post, dual, pre = (bottom_to_top(placement) for placement in ("post", "dual", "pre"))
    assert post < 0.05
    assert dual > 5 * post
    assert pre > dual  # pre-norm does not lose them, but its top layers do little


def last_loss(placement: str, learning_rate: float) -> float:
    """After 60 steps of Adam on counting (by one, two or three, modulo 32); knowing nothing has ln(32) = 3.47."""
    model, generator = made(placement, 12, 1.0, "embed.vocab=32"), torch.Generator().manual_seed(2)
    optimizer, loss = torch.optim.Adam(model.parameters(), learning_rate), torch.zeros(())
    for _ in range(60):
        rows = _counting(generator)
        loss = F.cross_entropy(model(rows[:, :-1]).logits[:, 2:].flatten(0, 1), rows[:, 3:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return loss.item()


def _counting(generator: torch.Generator) -> Tensor:
    start = torch.randint(0, 32, (16, 1), generator=generator)
    step = torch.randint(1, 4, (16, 1), generator=generator)
    return (start + step * torch.arange(17)) % 32


@pytest.mark.slow
def test_pre_norm_trains_at_a_rate_at_which_post_norm_learns_nothing() -> None:
    """Without a warm-up (Xiong et al. 2020, section 3)."""
    assert last_loss("pre", 3e-3) < 2.0
    assert last_loss("dual", 3e-3) < 2.5
    assert last_loss("post", 3e-3) > 3.3
