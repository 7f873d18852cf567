"""Continuous batching: a batch whose rows come and go between any two steps.

A static batch (engine.py) is as slow as its longest text, and who comes late waits for all of it. Here each row is a
slot: a text that is finished gives it up, the next one takes it, the others do not notice (Orca: Yu et al. 2022,
section 3.1, iteration-level scheduling). A step reads one token in every row in use, so the model's weights are fetched
once for all of them; a row alone costs what it costs alone.

What attention remembers has a column for each token. Texts of different lengths stand right-aligned, so that the next
token of all goes into one column, and a mask hides what is left of a short one:

    column      0 1 2 3 4 5 6 7 8 9
    slot 0      . . a a a a a           `end` is 7
    slot 1      . . . . b b b
    slot 2                              free
    the model is shown slots 0 and 1 from column 2 on: a view, nothing is copied

Rows in use are the first ones: when one leaves, the last takes its place. A text is read by itself and copied in; where
it is longer than `end`, or the columns run out, all rows move along. What a recurrence remembers (Mamba, RWKV) has no
columns: only rows are copied. `Grows` (model/op.py) says of each tensor which it is. Left out: the pages of vLLM (Kwon
et al. 2023), which save the room beside short texts and need a kernel that follows them.
"""

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hornbook.generate.snapshot import stretch
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.op import Grows, State, change_each

ROOM = 256  # columns taken at a time


class Slots:
    """The texts being written, as rows of one state. `lengths`: tokens read so far, of each row in use."""

    def __init__(self, model: Any, slots: int, capacity: int) -> None:
        """capacity: tokens of the longest text."""
        self.model, self.slots, self.capacity = model, slots, capacity
        self.forward = model.forward  # past `model.compile()`, which would compile every length of the state anew
        self.device = next(model.parameters()).device
        self.lengths: list[int] = []
        self.sources: list[int] = []  # tokens of what the encoder read, of each row
        self.end = self.columns = 0
        self.memory: State | None = None  # of all slots; None: there is no text
        self.shown: State | None = None  # the view of it that the model works on; None: to be made
        self.pads: Int[Tensor, "rows 1"] | None = None  # columns to hide left of each text; None: all are as long
        self.real: Bool[Tensor, "rows columns"] | None = None  # False where they are

    def enter(self, state: State) -> None:
        """Copy the state of one text into the next row."""
        self._settle()
        if self.memory is None:
            self.memory = change_each(self._room, state)
        if state.length > self.end:
            self._move(state.length)
        row, first = len(self.lengths), self.end - state.length
        assert row < self.slots, "no slot is free"

        def copy(grows: Grows, tensor: Tensor, new: Tensor) -> Tensor:
            if grows.by == "source":
                tensor = _longer(tensor, grows.dim, new.shape[grows.dim])
                tensor[row : row + 1].narrow(grows.dim, 0, new.shape[grows.dim]).copy_(new)
                return tensor
            stretch(grows, tensor[row : row + 1], first, state.length).copy_(stretch(grows, new, 0, state.length))
            return tensor

        self.memory = change_each(copy, self.memory, state)
        self.lengths.append(state.length)
        self.sources.append(0 if state.memory is None else state.memory.shape[1])

    def leave(self, row: int) -> None:
        """Give up a row. The last one is in its place from then on."""
        self._settle()
        last = len(self.lengths) - 1
        if row != last:
            length = self.lengths[last]

            def copy(grows: Grows, tensor: Tensor) -> Tensor:
                here, there = (
                    stretch(grows, tensor[each : each + 1], self.end - length, length) for each in (row, last)
                )
                here.copy_(there)
                return tensor

            self.memory = change_each(copy, self.memory)
        for each in (self.lengths, self.sources):
            each[row] = each[last]
            each.pop()
        if not self.lengths:
            self.memory, self.end, self.columns = None, 0, 0

    def copy(self, row: int) -> State:
        """The state of one row by itself."""
        self._settle()
        assert self.memory is not None
        length = self.lengths[row]

        def cut(grows: Grows, tensor: Tensor) -> Tensor:
            return stretch(grows, tensor[row : row + 1], self.end - length, length).clone()

        found: State = change_each(cut, self.memory)
        return replace(found, length=length, capacity=length)

    def step(self, ids: Int[Tensor, " rows"]) -> Float[Tensor, "rows dim"]:
        """Read one more token in every row in use; what the model's head makes logits of."""
        if self.end == self.columns:
            self._settle()
            self._move(max(self.lengths))
        if self.shown is None:
            self._show()
        assert self.shown is not None
        shown, pads = self.shown, self.pads
        mask = None if self.real is None else self.real[:, : shown.length + 1]
        arguments: dict[str, Any] = {"state": shown, "logits": False}
        if isinstance(self.model, EncoderDecoderModel):
            output = self.forward(decoder_input_ids=ids[:, None], decoder_attention_mask=mask, **arguments)
        elif pads is None:
            output = self.forward(ids[:, None], **arguments)
        else:
            output = self.forward(ids[:, None], attention_mask=mask, positions=shown.length - pads, **arguments)
        self.end += 1
        self.lengths = [length + 1 for length in self.lengths]
        hidden: Tensor = output.hidden[:, -1]
        return hidden

    def _show(self) -> None:
        """Make the view of the rows in use, from the column in which the longest text begins."""
        assert self.memory is not None
        rows, longest, source = len(self.lengths), max(self.lengths), max(self.sources)
        first = self.end - longest

        def view(grows: Grows, tensor: Tensor) -> Tensor:
            if grows.by == "columns":
                return tensor[:rows].narrow(grows.dim, first, self.columns - first)
            return tensor[:rows].narrow(grows.dim, 0, source) if grows.by == "source" else tensor[:rows]

        self.shown = replace(change_each(view, self.memory), length=longest, capacity=self.columns - first)
        self.pads = self.real = None
        if min(self.lengths) < longest:
            self.pads = torch.tensor([[longest - length] for length in self.lengths], device=self.device)
            self.real = torch.arange(self.columns - first, device=self.device) >= self.pads
        if min(self.sources) < source:
            self.shown.memory_real = _below(source, torch.tensor(self.sources, device=self.device))

    def _room(self, grows: Grows, tensor: Tensor) -> Tensor:
        """Memory for all slots, without columns yet."""
        sizes = [self.slots, *tensor.shape[1:]]
        if grows.by == "columns":
            sizes[grows.dim] = 0
        return tensor.new_zeros(sizes)

    def _settle(self) -> None:
        """Before rows change: what sublayers put in place of their part of the view goes back into memory."""
        if self.shown is not None:

            def store(grows: Grows, tensor: Tensor, now: Tensor) -> Tensor:
                if grows.by is None:
                    tensor[: len(now)] = now
                return tensor

            assert self.memory is not None
            layers = change_each(store, self.memory.layers, self.shown.layers)
            self.memory, self.shown = replace(self.memory, layers=layers, tape=self.shown.tape), None

    def _move(self, end: int) -> None:
        """Let all texts end at column `end`, with columns to go on in."""
        assert self.memory is not None
        rows, longest = len(self.lengths), max(self.lengths, default=0)
        if self.columns - end < ROOM // 4:
            self.columns = max(end + ROOM, min(2 * self.columns, self.capacity + ROOM))

        def move(grows: Grows, tensor: Tensor) -> Tensor:
            if grows.by != "columns":
                return tensor
            texts = tensor[:rows].narrow(grows.dim, self.end - longest, longest)
            texts = texts.clone() if tensor.shape[grows.dim] == self.columns else texts
            room = _longer(tensor, grows.dim, self.columns, empty=True)
            room[:rows].narrow(grows.dim, end - longest, longest).copy_(texts)
            return room

        self.memory, self.end = change_each(move, self.memory), end


def _longer(tensor: Tensor, dim: int, length: int, *, empty: bool = False) -> Tensor:
    """The tensor, with room for `length` in a dimension; zeros, as what is hidden still is multiplied by 0."""
    if tensor.shape[dim] >= length:
        return tensor
    room = tensor.new_zeros(*tensor.shape[:dim], length, *tensor.shape[dim + 1 :])
    if not empty:
        room.narrow(dim, 0, tensor.shape[dim]).copy_(tensor)
    return room


def _below(length: int, counts: Int[Tensor, " rows"]) -> Bool[Tensor, "rows length"]:
    """True for as many places as each row has."""
    return torch.arange(length, device=counts.device) < counts[:, None]
