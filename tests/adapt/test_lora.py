"""LoRA beside one matrix: what it says and what it learns, by hand and as peft."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hornbook.adapt.lora import Lora, LowRank
from hornbook.model.blank import Linear


def linear(inputs: int = 12, outputs: int = 20, *, bias: bool = True, seed: int = 0) -> Linear:
    """A frozen matrix."""
    made, draw = Linear(inputs, outputs, bias=bias), torch.Generator().manual_seed(seed)
    for parameter in made.parameters():
        nn.init.normal_(parameter, generator=draw)
        parameter.requires_grad_(False)
    return made


def beside(made: Linear, config: Lora, *, learned: bool = True) -> LowRank:
    """Its adapter, that has learned something."""
    draw = torch.Generator().manual_seed(1)
    layer = config.beside(made, draw)
    if learned:
        for name, parameter in layer.named_parameters():
            if name != "down":
                parameter.data += 0.3 * torch.randn(parameter.shape, generator=draw)
    made.adapter = layer
    return layer


def theirs(made: Linear, layer: LowRank, **options: Any) -> Any:
    """peft's layer with the same numbers."""
    peft = pytest.importorskip("peft")
    holder = nn.Sequential(nn.Linear(made.in_features, made.out_features, bias=made.bias is not None))
    holder[0].load_state_dict(dict(made.named_parameters(recurse=False)))
    config = layer.config
    wanted = {"r": config.rank, "lora_alpha": config.alpha, "use_rslora": config.scaling == "root", **options}
    model = peft.get_peft_model(holder, peft.LoraConfig(target_modules=["0"], **wanted)).base_model.model[0]
    with torch.no_grad():
        model.lora_A["default"].weight.copy_(layer.down)
        model.lora_B["default"].weight.copy_(layer.up)
    return model


def both(ours: nn.Module, other: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The answers of two layers to x, and the gradients of x."""
    found = []
    for layer in (ours, other):
        asked = x.clone().requires_grad_()
        answer = layer(asked)
        answer.square().sum().backward()
        found += [answer.detach(), asked.grad]
    return found[0], found[2], found[1], found[3]


@pytest.mark.parametrize("scaling", ["rank", "root"])
@pytest.mark.parametrize("bias", [True, False])
def test_it_says_and_learns_what_pefts_does(scaling: Any, bias: bool) -> None:
    made = linear(bias=bias)
    layer = beside(made, Lora(rank=4, alpha=6.0, scaling=scaling))
    other = theirs(made, layer)
    x = torch.randn(2, 7, 12, generator=torch.Generator().manual_seed(2)) / 10
    said, wanted, by_x, by_x_wanted = both(made, other, x)
    close = {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(said, wanted, **close)
    torch.testing.assert_close(by_x, by_x_wanted, **close)
    torch.testing.assert_close(layer.down.grad, other.lora_A["default"].weight.grad, **close)
    torch.testing.assert_close(layer.up.grad, other.lora_B["default"].weight.grad, **close)
    assert made.weight.grad is None


def test_it_says_what_the_merged_matrix_says() -> None:
    made = linear()
    layer = beside(made, Lora(rank=3, alpha=6.0))
    x = torch.randn(5, 12, generator=torch.Generator().manual_seed(2))
    by_hand = x @ (made.weight + 2.0 * layer.up @ layer.down).T + made.bias
    torch.testing.assert_close(made(x), by_hand, rtol=1e-6, atol=1e-5)
    torch.testing.assert_close(nn.functional.linear(x, layer.merged(made.weight), made.bias), by_hand)


@pytest.mark.parametrize("shape", [(12,), (3, 12), (2, 3, 12), (0, 12)])
def test_at_first_nothing_is_added(shape: tuple[int, ...]) -> None:
    made, plain = linear(), linear()
    beside(made, Lora(), learned=False)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    assert torch.equal(made(x), plain(x))


def test_the_scale_is_alpha_by_the_rank_or_by_its_root() -> None:
    assert Lora(rank=16, alpha=32.0).scale == 2.0
    assert Lora(rank=16, alpha=32.0, scaling="root").scale == 8.0


def test_numbers_are_drawn_from_the_generator_as_the_authors_do() -> None:
    made = linear(inputs=4000, outputs=2)
    one, same, other = (Lora().beside(made, torch.Generator().manual_seed(seed)).down for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert float(one.detach().abs().max()) <= 1.000001 / math.sqrt(4000)
    assert float(one.detach().std()) == pytest.approx(1 / math.sqrt(3 * 4000), rel=0.02)


def test_dropout_is_of_what_the_adapter_sees_and_only_in_training() -> None:
    made, plain = linear(), linear()
    layer = beside(made, Lora(rank=4, alpha=4.0, dropout=0.5))
    x = torch.ones(4000, 12)
    torch.manual_seed(0)
    added = made(x) - plain(x)
    layer.eval()
    calm = made(x) - plain(x)
    assert float(added.detach().std(0).min()) > 0
    assert float(calm.detach().std(0).max()) < 1e-5
    torch.testing.assert_close(added.mean(0), calm.mean(0), rtol=0, atol=0.1)


def test_beside_a_matrix_in_bf16_it_learns_in_fp32() -> None:
    made = linear().to(torch.bfloat16)
    layer = beside(made, Lora(rank=4))
    said = made(torch.randn(3, 12, generator=torch.Generator().manual_seed(2)).to(torch.bfloat16))
    said.float().sum().backward()
    assert (said.dtype, layer.down.dtype, layer.down.grad.dtype) == (torch.bfloat16, torch.float32, torch.float32)
    assert layer.merged(made.weight).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"rank": 0}, "rank: 0 adds nothing; give at least 1"),
        ({"alpha": 0.0}, "alpha: 0.0 is not above 0; twice the rank is usual"),
        ({"dropout": 1.0}, "dropout: 1.0 is not a share; give 0 or more and less than 1"),
        ({"targets": ()}, "targets: none; name matrices, such as query and value, or all layers: *.layers.*"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 -- the whole sentence is compared
        Lora(**fields)
    assert str(refused.value) == sentence
