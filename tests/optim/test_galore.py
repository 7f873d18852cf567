"""GaLore against galore-torch, against the formula written again, and through a stop in the middle."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.optim.adamw import AdamW
from hornbook.optim.galore import Galore, GaloreOptimizer

STEPS = 20
ADAM = AdamW(lr=1e-2, beta2=0.99, weight_decay=0.1)
CONFIG = Galore(rank=4, gap=7, scale=0.5, adam=ADAM)  # three bases in twenty steps


def model() -> nn.Sequential:
    """Wide, square and tall matrices, and vectors."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(24, 12), nn.Tanh(), nn.Linear(12, 12), nn.Tanh(), nn.Linear(12, 24))


def train(net: nn.Module, step: Callable[[], object]) -> None:
    """Twenty steps towards a made-up map; the gradients are those of the weights as they become."""
    generator = torch.Generator().manual_seed(1)
    dtype = next(net.parameters()).dtype
    x, y = (torch.randn(STEPS, 32, 24, generator=generator, dtype=dtype) for _ in range(2))
    for given, wanted in zip(x, y, strict=True):
        net.zero_grad()
        ((net(given) - wanted) ** 2).mean().backward()
        step()


def largest_difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)


def reference(net: nn.Module) -> Callable[[], None]:
    """The paper's algorithm 2 in float64, moments by parameter, signs of the basis as LAPACK gives them."""
    memory: dict[Tensor, list[Any]] = {}

    def see(gradient: Tensor, time: int, memo: list[Any]) -> Tensor:
        if time % CONFIG.gap == 0:
            u, _, vh = torch.linalg.svd(gradient, full_matrices=False)
            memo[2] = (None, vh[:4].T) if gradient.shape[0] >= gradient.shape[1] else (u[:, :4], None)
        left, right = memo[2]
        return gradient @ right if left is None else left.T @ gradient

    @torch.no_grad()
    def step() -> None:
        for p in net.parameters():
            memo = memory.setdefault(p, [0.0, 0.0, None, 0])
            g = see(p.grad, memo[3], memo) if p.ndim == 2 else p.grad
            memo[3] += 1
            memo[0], memo[1] = 0.9 * memo[0] + 0.1 * g, 0.99 * memo[1] + 0.01 * g**2
            m, unbias = memo[0] / (1 - 0.9 ** memo[3]), (1 - 0.99 ** memo[3]) ** 0.5
            epsilon = 1e-8 / unbias if p.ndim == 2 else 1e-8  # of matrices beside the square as it is kept
            move = m / (memo[1].sqrt() / unbias + epsilon)
            if p.ndim == 2:
                left, right = memo[2]
                move = 0.5 * (move @ right.T if left is None else left @ move)
            p -= 0.01 * move
            if p.ndim == 2:
                p -= 0.01 * 0.1 * p

    return step


def test_twenty_steps_equal_the_formula_in_float64() -> None:
    ours, theirs = model().double(), model().double()
    optimizer = CONFIG.build(ours)
    train(ours, optimizer.step)
    train(theirs, reference(theirs))
    assert largest_difference(ours, theirs) < 1e-10
    assert largest_difference(ours, model().double()) > 0.05


@pytest.fixture
def galore_torch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Its module of AdamW, without its 8-bit one, which wants bitsandbytes."""
    spec = importlib.util.find_spec("galore_torch")
    if spec is None or importlib.util.find_spec("transformers") is None:
        pytest.skip("galore-torch and transformers are not both installed")
    package = ModuleType("galore_torch")
    package.__path__ = list(spec.submodule_search_locations or [])
    monkeypatch.setitem(sys.modules, "galore_torch", package)
    return importlib.import_module("galore_torch.adamw")


@pytest.mark.parametrize("gap", [7, 200])
def test_twenty_steps_equal_galore_torch(galore_torch: ModuleType, gap: int) -> None:
    ours, theirs = model(), model()
    optimizer = Galore(rank=4, gap=gap, scale=0.5, adam=ADAM).build(ours)
    matrices = [p for p in theirs.parameters() if p.ndim == 2]
    low_rank = {"rank": 4, "update_proj_gap": gap, "scale": 0.5, "proj_type": "std", "weight_decay": 0.1}
    groups = [
        {"params": matrices, **low_rank},
        {"params": [p for p in theirs.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    peer = galore_torch.AdamW(groups, lr=1e-2, betas=(0.9, 0.99), eps=1e-8, no_deprecation_warning=True)
    train(ours, optimizer.step)
    train(theirs, peer.step)
    assert largest_difference(ours, theirs) < 5e-6  # fp32, the sums in another order
    assert largest_difference(ours, model()) > 0.05


def test_a_stop_in_the_middle_changes_no_bit() -> None:
    """State goes through plain tensors, the basis among them; the second half finds a new one twice."""
    whole, halves = model(), model()
    train(whole, CONFIG.build(whole).step)
    optimizer, taken = CONFIG.build(halves), 0

    def step() -> None:
        nonlocal optimizer, taken
        optimizer.step()
        taken += 1
        if taken == 10:
            kept = {name: value.clone() for name, value in optimizer.state_tensors().items()}
            optimizer = CONFIG.build(halves)
            optimizer.load_state_tensors(kept)

    train(halves, step)
    assert largest_difference(whole, halves) == 0
    assert optimizer.state_tensors()["0.weight/basis"].shape == (12, 4)


def held(optimizer: Any) -> int:
    return sum(value.untyped_storage().nbytes() for value in optimizer.state_tensors().values() if value.ndim)


def test_less_is_kept_than_by_adamw() -> None:
    """Rank 8 of 64 wide: 3 x 8 numbers a row instead of 2 x 64, and no view that keeps a whole decomposition."""
    net = nn.Linear(64, 64, bias=False)
    sizes = []
    for config in (AdamW(), Galore(rank=8)):
        optimizer = config.build(net)
        net(torch.randn(4, 64)).square().sum().backward()
        optimizer.step()
        sizes.append(held(optimizer))
    assert sizes == [2 * 64 * 64 * 4, 3 * 8 * 64 * 4]


def test_who_is_seen_through_a_basis() -> None:
    """Matrices of the layers above the rank; not a table, a head, a vector, a matrix that has nothing to save."""
    net = nn.ModuleDict(
        {
            "embed": nn.Embedding(50, 16),
            "layer": nn.Linear(16, 32),
            "narrow": nn.Linear(16, 4, bias=False),
            "head": nn.Linear(16, 50, bias=False),
        }
    )
    optimizer = Galore(rank=4).build(net)
    assert set(optimizer.matrices) == {"layer.weight"}
    assert optimizer.adam is not None
    assert set(optimizer.adam.names) == {"embed.weight", "layer.bias", "narrow.weight", "head.weight"}


def test_a_rate_of_zero_moves_nothing_and_a_missing_gradient_is_passed_over() -> None:
    net = nn.Linear(16, 16)
    before = net.weight.detach().clone()
    optimizer = Galore(rank=2).build(net)
    optimizer.step()
    assert optimizer.state_tensors() == {}
    optimizer.set_lr(0.0)
    net(torch.randn(3, 16)).sum().backward()
    optimizer.step()
    assert optimizer.lr == 0
    assert torch.equal(net.weight, before)
    optimizer.zero_grad()
    assert net.weight.grad is None


def test_values_that_do_not_fit_are_refused() -> None:
    for bad in ({"rank": 0}, {"gap": 0}, {"scale": 0.0}):
        with pytest.raises(ValueError, match=f"^{next(iter(bad))}: 0"):
            Galore(**bad)
    with pytest.raises(UserError, match=r"^optimizer.rank: 128 saves nothing, .* at most 16; give less, such as 4$"):
        Galore().build(nn.Linear(32, 16))


def test_state_of_another_recipe_and_a_gradient_that_is_no_number_are_refused() -> None:
    net = nn.Linear(16, 16, bias=False)
    optimizer: GaloreOptimizer = Galore(rank=2).build(net)
    with pytest.raises(ValueError, match=r"weight/basis: shape \(3, 16\) and not \(2, 16\); was the recipe changed"):
        optimizer.load_state_tensors({"weight/basis": torch.zeros(3, 16)})
    with pytest.raises(ValueError, match="bias/exp_avg: optimizer state for a parameter the model has not"):
        optimizer.load_state_tensors({"bias/exp_avg": torch.zeros(16)})
    net.weight.grad = torch.full((16, 16), float("nan"))
    with pytest.raises(UserError, match=r"^weight: its gradient has no singular values"):
        optimizer.step()
