"""Which stacks can be written down as a tape, and which cannot."""

import pytest
import torch

from hornbook.model import native
from hornbook.model.alibi import Alibi
from hornbook.model.attention import Attention
from hornbook.model.blank import Linear
from hornbook.model.decoder import Decoder
from hornbook.model.embed import Tokens
from hornbook.model.mamba import Mamba
from hornbook.model.mlp import MLP
from hornbook.model.quantised import ALWAYS, NEVER, Packed, pack
from hornbook.model.record import record
from hornbook.model.stack import Stack


def model(*layer, **more):
    stack = Stack(layers=2, layer=layer or (Attention(heads=4), MLP(hidden=48)), **more)
    return Decoder(dim=32, length=16, embed=Tokens(vocab=50), stack=stack).build().eval()


def always(decoder) -> None:
    """Kernels are taken, whatever was measured."""
    for each in decoder.modules():
        if isinstance(each, Packed):
            each.few = ALWAYS


def tape_of(decoder):
    stack = decoder.stack
    return record(list(stack.layers), stack.final_norm, [stack.position, *stack.ways], 32)


def test_a_step_for_everything_that_is_done() -> None:
    if not native.there():
        pytest.skip("no C compiler")
    tape = tape_of(model())
    assert len(tape.steps) == 2 * (7 + 5) + 1  # norm, q, k, v, attend, output, add; norm, up, act, output, add
    assert tape.attentions == [[0, 0], [1, 0]]


@pytest.mark.parametrize(
    "decoder",
    [
        model(Mamba()),
        model(position=Alibi()),
        model(placement="dual"),
        model(Attention(heads=4, causal=False), MLP(hidden=48)),
    ],
    ids=["mamba", "alibi", "dual", "both ways"],
)
def test_what_has_no_step_has_no_tape(decoder) -> None:
    assert tape_of(decoder) is None


def test_an_adapter_has_no_tape_and_a_packed_matrix_has() -> None:
    if not native.there():
        pytest.skip("no C compiler")
    adapted, packed = model(), model()
    linear = next(each for each in adapted.modules() if isinstance(each, Linear))
    linear.adapter = torch.nn.Identity()
    assert tape_of(adapted) is None
    pack(packed, "int8")
    always(packed)
    assert tape_of(packed) is not None
    packed.stack.layers[0][0].op.query.adapter.few = NEVER
    assert tape_of(packed) is None


def test_whoever_watches_a_sublayer_is_shown_it() -> None:
    watched = model()
    watched.stack.layers[0][0].op.output.register_forward_hook(lambda *_: None)
    assert tape_of(watched) is None


def test_without_kernels_there_is_no_tape(monkeypatch) -> None:
    monkeypatch.setattr(native, "there", lambda: False)
    assert tape_of(model()) is None
