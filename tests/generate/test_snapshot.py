"""A text's state by itself: cut, resumed with more room, measured; reading on is as if it had never been cut."""

import pytest
import torch
from torch import Tensor

from hornbook.generate.snapshot import kinds, resume, shorten, size, tensors
from hornbook.model.models import AnyModel
from hornbook.model.op import State
from tests.generate.speaking import DECODERS, module

IDS = [5, 9, 2, 6, 5, 3, 5, 8]
KINDS = {"mamba": {None}, "rwkv": {None}, "gru": {None}, "hyena": {None, "steps"}, "jamba": {None, "columns"}}


def read(model: AnyModel, ids: list[int], state: State) -> Tensor:
    found: Tensor = model(torch.tensor([ids]), state=state).logits[0, -1]
    return found


@pytest.mark.parametrize("name", DECODERS)
@torch.inference_mode()
def test_going_on_from_a_snapshot_is_going_on(name: str) -> None:
    model = module(name)
    state: State = model.new_state(1, len(IDS))  # type: ignore[union-attr]
    read(model, IDS[:6], state)
    kept = shorten(state, 6)
    wanted = read(model, IDS[6:], state)
    for _ in range(2):  # whoever resumes does not write into what is kept
        resumed = resume(model, kept, 6, 20)
        assert (resumed.length, resumed.capacity) == (6, 20)
        assert torch.allclose(read(model, IDS[6:], resumed), wanted, atol=1e-5)
    assert kinds(state) == KINDS.get(name, {"columns"})


@torch.inference_mode()
def test_attention_can_be_cut_to_a_beginning() -> None:
    model = module("llama")
    state: State = model.new_state(1, len(IDS))  # type: ignore[union-attr]
    read(model, IDS, state)
    resumed = resume(model, shorten(state, len(IDS)), 3, 10)
    wanted = model(torch.tensor([[*IDS[:3], 7]])).logits[0, -1]
    assert torch.allclose(read(model, [7], resumed), wanted, atol=1e-5)


@torch.inference_mode()
def test_a_snapshot_is_as_large_as_its_text() -> None:
    state: State = module("llama").new_state(1, 50)  # type: ignore[union-attr]
    assert size(shorten(state, 10)) * 5 == size(state) == sum(tensor.numel() * 4 for _, tensor in tensors(state))
