"""The batch by itself: rows that come, go and move keep their texts; alone, a row is shown to the model as if alone."""

import random
from typing import Any

import pytest
import torch
from torch import Tensor

from hornbook.generate import slots as slots_file
from hornbook.generate.slots import Slots
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.op import State
from tests.generate.speaking import DECODERS, WITH_SOURCE, module


class Text:
    """A text with the state of its own that it would have without the batch."""

    def __init__(self, model: Any, ids: list[int], source: list[int]) -> None:
        self.model, self.ids, self.source = model, ids, source

    def read(self, state: State) -> None:
        ids = torch.tensor([self.ids])
        if isinstance(self.model, EncoderDecoderModel):
            self.model(torch.tensor([self.source]), decoder_input_ids=ids, state=state)
        else:
            self.model(ids, state=state)

    def hidden(self) -> Tensor:
        """What the model says after all of it, read at once."""
        ids = torch.tensor([self.ids])
        if isinstance(self.model, EncoderDecoderModel):
            return self.model(torch.tensor([self.source]), decoder_input_ids=ids).hidden[0, -1]
        return self.model(ids).hidden[0, -1]


@pytest.mark.parametrize("name", DECODERS + WITH_SOURCE)
@torch.inference_mode()
def test_rows_come_and_go_at_random(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few columns at a time, so that all move often."""
    monkeypatch.setattr(slots_file, "ROOM", 8)
    model, draw = module(name), random.Random(1)
    slots, texts = Slots(model, 4, 60), list[Text]()
    for _ in range(60):
        if len(texts) < 4 and draw.random() < 0.4:
            ids, source = ([draw.randrange(2, 90) for _ in range(draw.randrange(1, most))] for most in (30, 9))
            text = Text(model, ids, source)
            state = model.new_state(1, 60 if name == "hyena" else len(ids))  # type: ignore[union-attr]
            text.read(state)
            slots.enter(state)
            texts.append(text)
        gone = [row for row in range(len(texts)) if len(texts[row].ids) > 40 or draw.random() < 0.05]
        for row in reversed(gone):
            slots.leave(row)
            last = texts.pop()
            if row < len(texts):
                texts[row] = last
        assert slots.lengths == [len(text.ids) for text in texts]
        if not texts:
            continue
        new = [draw.randrange(2, 90) for _ in texts]
        hidden = slots.step(torch.tensor(new))
        for text, token, row in zip(texts, new, hidden, strict=True):
            text.ids.append(token)
            assert torch.allclose(row, text.hidden(), atol=2e-3), len(text.ids)


@torch.inference_mode()
def test_a_row_that_is_alone_is_shown_without_a_mask_or_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    model = module("llama")
    slots, given = Slots(model, 4, 60), list[dict[str, Any]]()
    for ids in ([1, 2, 3, 4, 5], [6, 7]):
        state = model.new_state(1, len(ids))  # type: ignore[union-attr]
        model(torch.tensor([ids]), state=state)
        slots.enter(state)
    forward = slots.forward
    monkeypatch.setattr(slots, "forward", lambda ids, **rest: (given.append(rest), forward(ids, **rest))[1])
    slots.step(torch.tensor([1, 1]))
    assert given[0]["attention_mask"].tolist() == [[True] * 6, [False] * 3 + [True] * 3]
    assert given[0]["positions"].tolist() == [[5], [2]]
    slots.leave(0)
    slots.step(torch.tensor([1]))
    assert given[1].keys() == {"state", "logits"}
    assert given[1]["state"].length == 4
    assert given[1]["state"].layers[0][0].keys.data_ptr() != slots.memory.layers[0][0].keys.data_ptr()  # type: ignore[union-attr]
    assert given[1]["state"].layers[0][0].keys.untyped_storage().data_ptr() == (
        slots.memory.layers[0][0].keys.untyped_storage().data_ptr()  # type: ignore[union-attr]
    ), "a view, from the column in which the text begins"


@torch.inference_mode()
def test_columns_are_bounded_and_memory_goes_with_the_last_text() -> None:
    model = module("gpt2")
    slots = Slots(model, 2, 64)
    state = model.new_state(1, 3)  # type: ignore[union-attr]
    model(torch.tensor([[1, 2, 3]]), state=state)
    slots.enter(state)
    for number in range(600):  # there is always one that has not ended, so nothing is ever begun anew
        if len(slots.lengths) == 1:
            slots.enter(state)
        slots.step(torch.tensor([1, 1]))
        if number % 20 == 19:
            slots.leave(0)
    assert slots.columns <= 64 + slots_file.ROOM
    while slots.lengths:
        slots.leave(0)
    assert slots.memory is None
