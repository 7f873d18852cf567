"""Whole rows, prompts and single tokens reach PyTorch's fused kernel without a mask wherever none is needed."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hornbook.core import recipe
from hornbook.model import causal
from hornbook.model.decoder import Decoder, DecoderModel


class Spy:
    """Notes how the kernel was called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        kernel = F.scaled_dot_product_attention

        def spied(q: Tensor, k: Tensor, v: Tensor, **how: Any) -> Tensor:
            mask = how["attn_mask"]
            self.calls.append("masked" if mask is not None else "causal" if how["is_causal"] else "plain")
            return kernel(q, k, v, **how)

        own = causal.attention

        def noted(*heads: Any) -> Tensor:
            self.calls.append("causal")
            return own(*heads)

        monkeypatch.setattr(F, "scaled_dot_product_attention", spied)
        monkeypatch.setattr(causal, "attention", noted)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    return Spy(monkeypatch)


def make(name: str, *overrides: str) -> DecoderModel:
    return recipe.load(Decoder, f"models/{name}", overrides).build()


def ids(time: int) -> Tensor:
    return torch.arange(2 * time).view(2, time) % 131


@pytest.mark.parametrize(
    ("name", "time", "calls"),
    [
        ("llama-tiny", 40, ["causal"] * 3),
        ("mixtral-tiny", 40, ["causal"] * 3),
        ("phi3-tiny", 40, ["causal"] * 3),
        ("mistral-tiny", 12, ["causal"] * 3),  # the window of 12 holds the row
        ("mistral-tiny", 13, ["masked"] * 3),
        ("gemma3-tiny", 8, ["causal"] * 7),
        ("gemma3-tiny", 40, ["masked"] * 5 + ["causal", "masked"]),  # the sixth layer looks at all
    ],
)
def test_training_and_prompts_take_a_mask_only_where_a_window_cuts(
    name: str, time: int, calls: list[str], spy: Spy
) -> None:
    model = make(name)
    model.train()(ids(time)).logits.sum().backward()
    assert spy.calls == calls
    spy.calls.clear()
    with torch.no_grad():
        model.eval()(ids(time), state=model.new_state(2, 64))
    assert spy.calls == calls


@torch.no_grad()
def test_a_token_at_a_time_sees_all_without_a_mask(spy: Spy) -> None:
    model, state = make("llama-tiny").eval(), None
    state = model.new_state(2, 64)
    state.tape = False  # the layers do it themselves
    model(ids(20), state=state)
    spy.calls.clear()
    for _ in range(3):
        model(ids(1), state=state)
    assert spy.calls == ["plain"] * 9


@torch.no_grad()
def test_padding_needs_one_and_packed_documents_are_read_one_by_one(spy: Spy) -> None:
    model = make("llama-tiny").eval()
    model(ids(8), attention_mask=torch.tensor([[0] + [1] * 7, [1] * 8]))
    model(ids(8), document_ids=torch.tensor([[0] * 3 + [1] * 5] * 2, dtype=torch.int32))
    assert spy.calls == ["masked"] * 3 + ["causal"] * 3 * 4  # in each layer two documents of two rows


@torch.no_grad()
def test_layers_of_one_kind_share_a_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six local layers of Gemma 3 look through the same tensor."""
    masks: list[Tensor | None] = []
    kernel = F.scaled_dot_product_attention
    monkeypatch.setattr(
        F, "scaled_dot_product_attention", lambda *a, **how: masks.append(how["attn_mask"]) or kernel(*a, **how)
    )
    make("gemma3-tiny").eval()(ids(40))
    assert len({id(mask) for mask in masks if mask is not None}) == 1
