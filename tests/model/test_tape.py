"""What a tape says of a token is what the layers say of it, for everything that can be written down."""

import pytest
import torch
from torch import Tensor

from hornbook.model import native
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.embed import Tokens
from hornbook.model.head_norm import AcrossHeads
from hornbook.model.mlp import ACTIVATIONS, MLP, GatedMLP
from hornbook.model.norm import LayerNorm, NoNorm, RMSNorm
from hornbook.model.parallel import Parallel
from hornbook.model.position import Absent, Learned
from hornbook.model.quantised import pack
from hornbook.model.rope import Rope
from hornbook.model.scaling import YarnScaling
from hornbook.model.sinusoidal import Sinusoidal
from hornbook.model.stack import LayerStack, Stack
from tests.model.test_record import always

pytestmark = pytest.mark.skipif(not native.there(), reason="no C compiler")

PLAIN = (Attention(heads=4, bias=True, output_bias=True), MLP(hidden=100, bias=True))
GATED = (Attention(heads=4, kv_heads=2), GatedMLP(hidden=90))
STACKS = {
    "gpt2": {"layer": PLAIN, "position": Learned()},
    "sinusoidal, post": {"layer": PLAIN, "position": Sinusoidal(), "placement": "post"},
    "llama": {"layer": GATED, "norm": RMSNorm(), "position": Rope()},
    "yarn": {"layer": GATED, "norm": RMSNorm(), "position": Rope(scaling=YarnScaling(factor=4, original_length=16))},
    "olmo": {"layer": (Attention(heads=4, clip=0.1), GATED[1]), "norm": LayerNorm(gain=False, bias=False)},
    "olmo2": {
        "layer": (Attention(heads=4, qk_norm=AcrossHeads(norm=RMSNorm())), GATED[1]),
        "norm": RMSNorm(),
        "placement": "output",
        "position": Rope(),
    },
    "qwen3": {
        "layer": (Attention(heads=4, kv_heads=1, head_dim=24, qk_norm=RMSNorm()), GATED[1]),
        "norm": RMSNorm(),
        "position": Rope(),
    },
    "gemma": {
        "layer": {
            "a": (Attention(heads=4, window=5, soft_cap=2.0, scale=0.3), GatedMLP(hidden=70, activation="gelu_tanh")),
            "b": (Attention(heads=4, position=Rope(base=100.0)), GatedMLP(hidden=70, activation="gelu")),
        },
        "pattern": "ab",
        "norm": RMSNorm(zero_centered=True),
        "placement": "sandwich",
        "position": Rope(base=50.0),
    },
    "neox": {
        "layer": (Parallel(branches=(PLAIN[0], PLAIN[1]), norm=LayerNorm()),),
        "position": Rope(share=0.25),
    },
    "gpt-j": {"layer": (Parallel(branches=(GATED[0], GATED[1])),), "position": Rope(share=0.5)},
    "apart": {"layer": (Attention(heads=4, position=Absent()), MLP(hidden=5)), "norm": NoNorm(), "position": Rope()},
    "albert": {"layer": GATED, "repeats": 2, "position": Rope()},
}


def build(**stack):
    config = Stack(layers=2, **stack)
    return Decoder(dim=64, length=64, embed=Tokens(vocab=60), stack=config).build().eval()


def written(model, ids: Tensor, monkeypatch, *, taped: bool, **more) -> Tensor:
    """The logits of every token after the first three, which are read together."""
    with monkeypatch.context() as patch, torch.inference_mode():
        if not taped:
            patch.setattr(LayerStack, "_play", lambda *_: None)
        state = model.new_state(len(ids), ids.shape[1])
        steps = []
        for begin, end in [(0, 3), *((i, i + 1) for i in range(3, ids.shape[1]))]:
            seen = {name: each[:, :end] for name, each in more.items()}
            steps.append(model(ids[:, begin:end], state=state, **seen).logits)
        assert (state.tape is None) != taped
        assert state.tape is not False
    return torch.cat(steps, 1)


def draw_ids(rows: int = 3) -> Tensor:
    return torch.randint(60, (rows, 14), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", STACKS)
def test_every_token_as_the_layers_say_it(name, monkeypatch) -> None:
    model, ids = build(**STACKS[name]), draw_ids()
    plain = written(model, ids, monkeypatch, taped=False)
    torch.testing.assert_close(written(model, ids, monkeypatch, taped=True), plain, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", [MLP, GatedMLP])
def test_every_activation_far_out_too(activation, kind, monkeypatch) -> None:
    model, ids = build(layer=(kind(hidden=33, activation=activation),), norm=NoNorm()), draw_ids()
    with torch.no_grad():
        model.embed.table.weight.mul_(300)
    plain = written(model, ids, monkeypatch, taped=False)
    found = written(model, ids, monkeypatch, taped=True)
    assert (found - plain).abs().max() < 2e-6 * plain.abs().max()


@pytest.mark.parametrize("kind", ["int8", "int4", "bf16"])
def test_packed_matrices(kind, monkeypatch) -> None:
    model, ids = build(**STACKS["qwen3"]), draw_ids(9)
    pack(model, kind)
    always(model)
    plain = written(model, ids, monkeypatch, taped=False)
    torch.testing.assert_close(written(model, ids, monkeypatch, taped=True), plain, rtol=1e-3, atol=1e-3)


def test_rows_that_begin_late(monkeypatch) -> None:
    model, ids = build(**STACKS["gemma"]), draw_ids()
    mask = torch.arange(14) >= torch.tensor([[0], [2], [1]])
    plain = written(model, ids, monkeypatch, taped=False, attention_mask=mask)
    torch.testing.assert_close(
        written(model, ids, monkeypatch, taped=True, attention_mask=mask), plain, rtol=1e-4, atol=2e-5
    )


def test_padding_in_the_middle_is_left_to_the_layers(monkeypatch) -> None:
    model, ids = build(**STACKS["llama"]), draw_ids()
    mask = torch.ones(3, 14, dtype=torch.bool)
    mask[1, 5] = False
    plain = written(model, ids, monkeypatch, taped=False, attention_mask=mask)
    found = written(model, ids, monkeypatch, taped=True, attention_mask=mask)
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=2e-5)


def test_more_rows_than_a_tape_is_good_for(monkeypatch) -> None:
    model, ids = build(**STACKS["llama"]), draw_ids(native.FEW + 1)
    found = written(model, ids, monkeypatch, taped=True)
    torch.testing.assert_close(found, written(model, ids, monkeypatch, taped=False), rtol=0, atol=0)


def test_a_state_whose_rows_were_chosen_goes_on(monkeypatch) -> None:
    from hornbook.model.op import choose_rows

    model, ids = build(**STACKS["llama"]), draw_ids()
    with torch.inference_mode():
        state = model.new_state(3, 8)
        model(ids[:, :3], state=state)
        model(ids[:, 3:4], state=state)
        fewer = choose_rows(state, torch.tensor([2, 0]))
        found = model(ids[[2, 0], 4:5], state=fewer).logits
        expected = model(ids[[2, 0], :5]).logits[:, -1:]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5)


def test_where_something_is_learned_the_layers_do_it() -> None:
    model, ids = build(**STACKS["llama"]), draw_ids()
    state = model.new_state(3, 8)
    model(ids[:, :1], state=state).logits.sum().backward()
    assert state.tape is None
    assert model.stack.layers[0][0].op.query.weight.grad is not None
