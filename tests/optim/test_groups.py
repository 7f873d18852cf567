"""Who decays, clipping against torch's, and state that comes back bit for bit, for both optimizers."""

import pytest
import torch
from torch import Tensor, nn

from hornbook.optim.adamw import AdamW
from hornbook.optim.groups import clip, split
from hornbook.optim.muon import Muon


class Tiny(nn.Module):
    """One of everything: tables, a norm, a projection with bias, a convolution, a tied or untied head."""

    def __init__(self, *, tied: bool) -> None:
        super().__init__()
        self.head = nn.Linear(8, 11, bias=False)
        self.embed = nn.ModuleDict({"table": nn.Embedding(11, 8), "places": nn.Embedding(5, 8)})
        self.norm = nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 16)
        self.down = nn.Linear(16, 8, bias=False)
        self.conv = nn.Conv1d(8, 8, 3, groups=8, bias=False)
        if tied:
            self.head.weight = self.embed["table"].weight

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed["table"](ids) + self.embed["places"].weight[: ids.shape[1]]
        x = x + self.down(self.qkv(self.norm(x)).tanh())
        return self.head(x + self.conv(x.mT)[..., :1].mT)


def train(model: Tiny, optimizer: object, steps: int, seed: int = 0) -> None:
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        ids = torch.randint(11, (3, 5), generator=generator)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(ids).flatten(0, 1), ids.roll(-1, 1).flatten()).backward()
        optimizer.set_lr(1 / (step + 1))
        optimizer.step()


def test_every_parameter_is_in_the_group_that_the_rule_names() -> None:
    groups = split(Tiny(tied=False))
    assert set(groups.matrices) == {"qkv.weight", "down.weight", "conv.weight"}
    assert set(groups.head) == {"head.weight"}
    assert set(groups.tables) == {"embed.table.weight", "embed.places.weight"}
    assert set(groups.vectors) == {"norm.weight", "norm.bias", "qkv.bias"}


def test_a_tied_head_is_a_table_and_a_frozen_weight_is_nowhere() -> None:
    model = Tiny(tied=True)
    model.down.weight.requires_grad_(False)
    groups = split(model)
    assert not groups.head
    assert len(groups.tables) == 2
    assert set(groups.matrices) == {"qkv.weight", "conv.weight"}


@pytest.mark.parametrize(
    "config", [AdamW(weight_decay=0.5, lr=0.1), Muon(weight_decay=0.5, lr=0.1, adam=AdamW(lr=0.1))]
)
def test_with_gradients_of_zero_only_the_decaying_weights_shrink(config: AdamW | Muon) -> None:
    torch.manual_seed(0)
    model = Tiny(tied=False)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer = config.build(model)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    kept = {name for name, value in model.named_parameters() if torch.equal(value, before[name])}
    assert kept == {"embed.table.weight", "embed.places.weight", "norm.weight", "norm.bias", "qkv.bias"}
    factor = {"qkv.weight": 1 - 0.1 * 0.5, "conv.weight": 1 - 0.1 * getattr(config, "adam", config).weight_decay}
    for name, share in factor.items():
        assert torch.allclose(dict(model.named_parameters())[name], before[name] * share)


@pytest.mark.parametrize("config", [AdamW(), Muon(), Muon(steps=3, momentum=0.9)])
@pytest.mark.parametrize("tied", [True, False])
def test_resumed_training_is_bit_identical(config: AdamW | Muon, tied: bool) -> None:
    torch.manual_seed(1)
    whole, half = Tiny(tied=tied), Tiny(tied=tied)
    half.load_state_dict(whole.state_dict())
    optimizer = config.build(whole)
    train(whole, optimizer, 3)
    half.load_state_dict({name: value.clone() for name, value in whole.state_dict().items()})
    resumed = config.build(half)
    resumed.load_state_tensors({name: value.clone() for name, value in optimizer.state_tensors().items()})
    train(whole, optimizer, 4, seed=7)
    train(half, resumed, 4, seed=7)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), half.parameters(), strict=True))
    ours, theirs = optimizer.state_tensors(), resumed.state_tensors()
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("config", [AdamW(), Muon()])
def test_loaded_state_is_a_copy(config: AdamW | Muon) -> None:
    torch.manual_seed(1)
    model = Tiny(tied=True)
    optimizer = config.build(model)
    train(model, optimizer, 1)
    saved = {name: value.clone() for name, value in optimizer.state_tensors().items()}
    kept = {name: value.clone() for name, value in saved.items()}
    resumed = config.build(model)
    resumed.load_state_tensors(saved)
    train(model, resumed, 1)
    assert all(torch.equal(saved[name], kept[name]) for name in saved)


@pytest.mark.parametrize("config", [AdamW(), Muon()])
def test_state_of_another_model_is_refused(config: AdamW | Muon) -> None:
    optimizer = config.build(Tiny(tied=True))
    with pytest.raises(ValueError, match="parameter the model has not"):
        optimizer.load_state_tensors({"layers.9.weight/exp_avg": torch.zeros(3)})
    with pytest.raises(ValueError, match="does not fit"):
        optimizer.load_state_tensors({"down.weight/momentum": torch.zeros(3, 3)})


@pytest.mark.parametrize("config", [AdamW(lr=0.5), Muon(lr=0.25)])
def test_set_lr_multiplies_the_base_rate(config: AdamW | Muon) -> None:
    optimizer = config.build(Tiny(tied=True))
    for multiplier in (0.5, 1.0, 0.125):
        optimizer.set_lr(multiplier)
        assert optimizer.lr == config.lr * multiplier


@pytest.mark.parametrize("limit", [1e-3, 1.0, 1e6])
def test_clipping_equals_torch(limit: float) -> None:
    generator = torch.Generator().manual_seed(0)
    ours = [nn.Parameter(torch.zeros(shape)) for shape in [(3, 4), (7,), (2, 2, 2)]]
    theirs = [nn.Parameter(torch.zeros_like(parameter)) for parameter in ours]
    for a, b in zip(ours, theirs, strict=True):
        a.grad = torch.randn(a.shape, generator=generator)
        b.grad = a.grad.clone()
    norm, reference = clip(ours, limit), nn.utils.clip_grad_norm_(theirs, limit)
    assert torch.allclose(norm, reference, rtol=1e-6)
    assert all(torch.allclose(a.grad, b.grad, rtol=1e-6) for a, b in zip(ours, theirs, strict=True))


def test_scale_comes_before_the_limit() -> None:
    weight = nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([30.0, 40.0])
    assert clip([weight], 2.5, scale=0.1).item() == pytest.approx(5.0)
    assert weight.grad.tolist() == pytest.approx([1.5, 2.0])
    assert clip([weight], None).item() == pytest.approx(2.5)
    assert clip([nn.Parameter(torch.zeros(2))], 1.0).item() == 0
