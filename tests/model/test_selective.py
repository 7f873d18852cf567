"""The selective scan against the loop of the paper: chunks of any size, gradients, strong decays, forgetting."""

import pytest
import torch
from torch import Tensor

from hornbook.model import selective
from hornbook.model.selective import Selection, selective_scan


def by_steps(tokens: Selection, h: Tensor, fresh: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Algorithm 2 of Gu and Dao 2023, one step after the other."""
    every = []
    for t in range(tokens.drive.shape[1]):
        decay = torch.exp(tokens.step[:, t, None] * tokens.rate)
        if fresh is not None:
            decay = decay * ~fresh[:, t, None, None]
        h = decay * h + tokens.write[:, t, :, None] * tokens.drive[:, t, None]
        every.append((h * tokens.read[:, t, :, None]).sum(1))
    return torch.stack(every, 1), h


def some(time: int, spread: float = 1.0, kind: torch.dtype = torch.float32) -> tuple[list[Tensor], Selection, Tensor]:
    """Rates from mild to violent: at spread 4 a step leaves anything from all to exp(-1000) of the state."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=kind)

    drive, step = draw(2, time, 5), torch.nn.functional.softplus(spread * draw(2, time, 5))
    rate, write, read, start = -torch.exp(spread * draw(3, 5)), draw(2, time, 3), draw(2, time, 3), draw(2, 3, 5)
    leaves = [leaf.requires_grad_() for leaf in (drive, step, rate, write, read, start)]
    return leaves, Selection(*leaves[:5]), start


@pytest.mark.parametrize("cache", [1, 2 * 3 * 5 * 16, 2**18])  # chunks of 8, of 16, the whole row
@pytest.mark.parametrize("spread", [1.0, 4.0])
@pytest.mark.parametrize("packed", [False, True])
def test_it_is_the_loop_and_so_are_its_gradients(
    cache: int, spread: float, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selective, "CACHE", cache)
    leaves, tokens, start = some(37, spread)
    fresh = torch.rand(2, 37, generator=torch.Generator().manual_seed(1)) < 0.2 if packed else None
    found, want = selective_scan(tokens, start, fresh), by_steps(tokens, start, fresh)
    weights = [torch.randn_like(each) for each in want]
    grads = []
    for y, end in (found, want):
        loss = (y * weights[0]).sum() + (end * weights[1]).sum()
        grads.append(torch.autograd.grad(loss, leaves))
    for ours, theirs in zip((*found, *grads[0]), (*want, *grads[1]), strict=True):
        assert ours.isfinite().all()
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * max(1.0, theirs.abs().max().item()))


def test_gradients_in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selective, "CACHE", 1)
    leaves, _, _ = some(11, kind=torch.double)
    assert torch.autograd.gradcheck(lambda *given: selective_scan(Selection(*given[:5]), given[5]), leaves)


def test_memory_is_that_of_a_chunk() -> None:
    """What is kept for the way back: the state at the start of each chunk, not at every step."""
    generator = torch.Generator().manual_seed(0)
    drive, step = (torch.rand(1, 512, 256, generator=generator, requires_grad=True) for _ in range(2))
    write, read = (torch.rand(1, 512, 16, generator=generator) for _ in range(2))
    rate = -torch.rand(16, 256, generator=generator)
    y, _ = selective_scan(Selection(drive, step, rate, write, read), torch.zeros(1, 16, 256))
    assert y.grad_fn is not None
    kept = sum(tensor.numel() for tensor in y.grad_fn.saved_tensors if tensor is not None)
    assert kept < 0.25 * 512 * 16 * 256
