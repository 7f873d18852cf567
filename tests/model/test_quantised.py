"""Quantised matrices say what the numbers they stand for say, take less room, and serve every architecture."""

import pytest
import torch
import torch.nn.functional as F

from hornbook.core.errors import UserError
from hornbook.model import native
from hornbook.model.attention import Attention
from hornbook.model.blank import Linear
from hornbook.model.decoder import Decoder
from hornbook.model.embed import Tokens
from hornbook.model.head import Language
from hornbook.model.mamba import Mamba
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.norm import RMSNorm
from hornbook.model.position import Learned
from hornbook.model.quantised import Packed, chosen, pack, stored_bytes
from hornbook.model.rope import Rope
from hornbook.model.rwkv import ChannelMix, TimeMix
from hornbook.model.stack import Stack

SIZES = [(64, 64), (50, 100), (7, 33), (193, 576), (3, 1536)]


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("kind", ["int8", "int4", "bf16"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rows", [1, 3, 8, 9])
def test_product_is_that_of_the_stored_numbers(kind, size, rows) -> None:
    packed, x = Packed(draw(*size), kind), draw(rows, size[1])
    expected = x @ packed.matrix().T
    packed.few = 1 << 30
    torch.testing.assert_close(packed(x, x, None), expected, rtol=0, atol=_bound(packed, x))
    packed.few = 0
    torch.testing.assert_close(packed(x, x, None), expected, rtol=1e-4, atol=1e-4)


def _bound(packed: Packed, x: torch.Tensor) -> float:
    """What the kernel may be off: each number of a vector by half a step of its group of 32."""
    if packed.kind not in ("int8", "int4") or packed.product is None:
        return 1e-3
    padded = F.pad(x, (0, -x.shape[1] % 32)).view(len(x), -1, 32)
    off = (padded.abs().amax(-1, keepdim=True) / 254).expand_as(padded).flatten(1)[:, : x.shape[1]]
    return float((off @ packed.matrix().abs().T).max()) + 1e-3


@pytest.mark.parametrize(("kind", "bits"), [("int8", 8.5), ("int4", 4.5), ("bf16", 16)])
def test_bits_a_number(kind, bits) -> None:
    assert Packed(draw(64, 128), kind).bytes * 8 == bits * 64 * 128


@pytest.mark.parametrize(("kind", "off"), [("int8", 0.5 / 127 + 1e-3), ("int4", 0.22)])
def test_no_number_is_off_by_more_than_its_share_of_the_largest(kind, off) -> None:
    weight = draw(40, 64)
    groups = (Packed(weight, kind).matrix() - weight).view(40, 2, 32).abs().amax(-1)
    assert (groups <= off * weight.view(40, 2, 32).abs().amax(-1)).all()


def test_zeros_stay_zeros() -> None:
    assert Packed(torch.zeros(4, 64), "int4").matrix().count_nonzero() == 0


def decoder(*layer, norm=None, position=None, tied=True) -> Decoder:
    more = {} if position is None else {"position": position}
    stack = Stack(layers=2, layer=layer, norm=norm or RMSNorm(), **more)
    return Decoder(dim=64, length=32, embed=Tokens(vocab=99), stack=stack, head=Language(tied=tied))


ARCHITECTURES = {
    "llama": decoder(Attention(heads=4, kv_heads=2), GatedMLP(hidden=96), position=Rope()),
    "gpt2": decoder(Attention(heads=4, bias=True, output_bias=True), MLP(hidden=96, bias=True), position=Learned()),
    "untied": decoder(Attention(heads=4), MLP(hidden=96), tied=False),
    "mamba": decoder(Mamba()),
    "rwkv": decoder(TimeMix(), ChannelMix(hidden=96)),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize(("kind", "off"), [("int8", 0.03), ("int4", 0.4), ("bf16", 0.03)])
@torch.inference_mode()
def test_every_architecture_says_about_the_same_in_fewer_bytes(name, kind, off) -> None:
    model, ids = ARCHITECTURES[name].build().eval(), torch.arange(20).view(2, 10)
    before, size = model(ids).logits, stored_bytes(model)
    pack(model, kind)
    after = model(ids).logits
    assert (after - before).norm() < off * before.norm()
    assert stored_bytes(model) < 0.75 * size
    assert not any(each.numel() for each in _weights(model))
    state = model.new_state(2, 12)
    steps = [model(ids[:, i : i + 1], state=state).logits for i in range(10)]
    torch.testing.assert_close(torch.cat(steps, 1), after, rtol=0, atol=float(0.02 * after.norm() / 10))


def _weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [each.weight for each in model.modules() if isinstance(each, Linear) and isinstance(each.adapter, Packed)]


def test_a_tied_table_is_packed_once() -> None:
    model = ARCHITECTURES["llama"].build()
    pack(model, "int4")
    assert model.head.adapter is model.embed.table.packed
    assert model.head.adapter.kind == "int8"
    ids = torch.tensor([[5, 98]])
    torch.testing.assert_close(model.embed.table(ids)[0], model.head.adapter.matrix()[[5, 98]])


def test_what_was_chosen_is_told_by_size() -> None:
    model = ARCHITECTURES["llama"].build()
    pack(model, "int8")
    assert "int8 99x64" in chosen(model)


def test_a_quantised_model_is_neither_saved_nor_quantised_again() -> None:
    model = ARCHITECTURES["llama"].build()
    pack(model, "int8")
    with pytest.raises(UserError, match="quantised"):
        model.state_dict()
    with pytest.raises(UserError, match="already"):
        pack(model, "int8")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UserError, match="int3"):
        pack(ARCHITECTURES["llama"].build(), "int3")  # type: ignore[arg-type]


def test_without_a_compiler_the_numbers_are_the_same(monkeypatch) -> None:
    monkeypatch.setattr(native, "products", dict)
    packed, x = Packed(draw(50, 100), "int8"), draw(1, 100)
    assert packed.product is None
    torch.testing.assert_close(packed(x, x, None), x @ packed.matrix().T)
