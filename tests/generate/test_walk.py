"""Going on, splitting and going back leave what reading the text at once would."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from hornbook.generate.engine import Limits, Writing
from hornbook.generate.walk import Walk, has_columns, room
from hornbook.model.attention import KeyValues
from tests.tiny_models import shaken, small

PROMPT = [5, 9, 2, 7]
LIMITS = Limits(max_new_tokens=20)
RECURRENT = ["mamba-tiny", "rwkv-tiny", "hyena-tiny", "gru-tiny", "jamba-tiny"]


def model_of(name: str) -> Any:
    return small(31, layers=2, length=64) if name == "llama" else shaken(name)


def at_once(model: Any, ids: list[int]) -> Tensor:
    found: Tensor = model(torch.tensor([ids])).logits[0, -1]
    return found


@pytest.mark.parametrize("name", ["llama", *RECURRENT])
@torch.inference_mode()
def test_going_back_is_never_having_been_there(name: str) -> None:
    model = model_of(name)
    walk = Walk(model, Writing(PROMPT), LIMITS)
    walk.read(torch.tensor([PROMPT]))
    for wrong in ([1, 2, 3], [4], [6, 6, 6, 6, 6]):
        walk.mark()
        walk.read(torch.tensor([wrong]))
        walk.back(len(PROMPT))
        assert walk.ids == PROMPT
    right = [8, 3, 1]
    found = walk.logits(walk.read(torch.tensor([right])))[0, -1]
    torch.testing.assert_close(found, at_once(model, PROMPT + right), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["llama", *RECURRENT])
@torch.inference_mode()
def test_going_back_part_of_the_way(name: str) -> None:
    """Attention keeps what is wanted; the others go back to the mark, and `ids` says so."""
    model = model_of(name)
    walk = Walk(model, Writing(PROMPT), LIMITS)
    walk.read(torch.tensor([PROMPT]))
    walk.mark()
    walk.read(torch.tensor([[1, 2, 3]]))
    walk.back(len(PROMPT) + 2)
    assert walk.ids == ([*PROMPT, 1, 2] if name == "llama" else PROMPT)
    whole = [*PROMPT, 1, 2, 4]
    found = walk.logits(walk.read(torch.tensor([whole[len(walk.ids) :]])))[0, -1]
    torch.testing.assert_close(found, at_once(model, whole), atol=1e-4, rtol=1e-4)
    walk.back(99)
    assert walk.ids == whole


@pytest.mark.parametrize("name", ["llama", *RECURRENT])
@torch.inference_mode()
def test_splitting(name: str) -> None:
    model = model_of(name)
    walk = Walk(model, Writing(PROMPT), LIMITS)
    walk.read(torch.tensor([PROMPT]))
    walk.take([0, 0, 0])
    walk.read(torch.tensor([[1], [2], [3]]))
    walk.take([2, 0])
    found = walk.logits(walk.read(torch.tensor([[4], [4]])))[:, -1]
    expected = torch.stack([at_once(model, [*PROMPT, first, 4]) for first in (3, 1)])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def tensors(kept: Any) -> Iterator[Tensor]:
    if isinstance(kept, Tensor):
        yield kept
    elif isinstance(kept, list | tuple):
        for each in kept:
            yield from tensors(each)
    elif is_dataclass(kept) and not isinstance(kept, KeyValues):
        changing = [each.name for each in fields(kept) if each.metadata.get("per_row", True)]
        for name in changing:
            yield from tensors(getattr(kept, name))


@pytest.mark.parametrize("name", RECURRENT)
@torch.inference_mode()
def test_what_is_marked_is_a_copy(name: str) -> None:
    """Also of a model that would bring its state up to date in place."""
    model = model_of(name)
    walk = Walk(model, Writing(PROMPT), LIMITS)
    walk.read(torch.tensor([PROMPT]))
    walk.mark()
    walk.read(torch.tensor([[1, 2]]))
    for tensor in tensors(walk.state.layers):
        tensor.add_(1)
    walk.back(len(PROMPT))
    walk.mark()
    for tensor in tensors(walk.state.layers):
        tensor.add_(1)
    walk.ids.append(0)
    walk.back(len(PROMPT))
    found = walk.logits(walk.read(torch.tensor([[3]])))[0, -1]
    torch.testing.assert_close(found, at_once(model, [*PROMPT, 3]), atol=1e-4, rtol=1e-4)


def test_only_attention_has_columns() -> None:
    for name in ("llama", *RECURRENT):
        assert has_columns(model_of(name).new_state(1, 8).layers) == (name == "llama")
    assert has_columns(shaken("transformer-tiny").new_state(1, 8).layers)


def test_the_room_for_a_text() -> None:
    assert room(Writing([1, 2]), Limits(max_new_tokens=9)) == 9
    assert room(Writing([1, 2]), Limits(max_new_tokens=9, context=6)) == 4
    assert room(Writing([1, 2]), Limits(max_new_tokens=3, context=6)) == 3
