"""A model on its way through a text: what it has read is remembered, can be split into several ways and taken back.

A search tries ways and gives most of them up. What attention remembers has a column a token: going back is reading over
them. What a recurrence remembers (Mamba, RWKV, Hyena, GRU) has no columns: a `mark` keeps a copy, going back is going
back to the mark, and what stood between has to be read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.generate import engine
from hornbook.generate.engine import Limits, Writing
from hornbook.model.attention import KeyValues
from hornbook.model.cross import MemoryKeyValues
from hornbook.model.op import State, choose_rows

COLUMNS = KeyValues, MemoryKeyValues  # a column is only ever written over


@dataclass(frozen=True)
class Hypothesis:
    """A text that a search has found."""

    ids: list[int]  # the token that ended it is left out
    log_probability: float  # of all its tokens and the one that ended it, as the search chose among them
    score: float  # what it was ranked by
    end: int | None = None  # the token that ended it; None: there was no more room

    @property
    def reason(self) -> Literal["end", "length"]:
        """Why it is finished."""
        return "length" if self.end is None else "end"


class Walk:
    """The state of a model and what it has read so far; one row, or several after `take`."""

    def __init__(self, model: Any, writing: Writing, limits: Limits) -> None:
        self.model, self.limits, self.source = model, limits, writing.source
        self.device = next(model.parameters()).device
        capacity = len(writing.prompt) + room(writing, limits)
        self.state: State = model.new_state(1, capacity)
        self.rows = 1
        self.ids: list[int] = []  # read so far, while there is one row
        self.kept: tuple[State, int] | None = None  # of the mark

    def read(self, ids: Int[Tensor, "rows time"]) -> Float[Tensor, "rows time dim"]:
        """Read on in every row; what the model's head makes logits of."""
        ids = ids.to(self.device)
        if len(ids) == 1:
            self.ids += ids[0].tolist()
        if self.source:
            known = self.state.memory is not None
            source = {} if known else {"input_ids": torch.tensor([self.source], device=self.device)}
            output = self.model.forward(**source, decoder_input_ids=ids, state=self.state, logits=False)
        else:
            output = self.model.forward(ids, state=self.state, logits=False)
        hidden: Tensor = output.hidden
        return hidden

    def logits(self, hidden: Float[Tensor, "*places dim"]) -> Float[Tensor, "*places vocab"]:
        """The scores of the next token, in fp32; of those that the tokenizer knows."""
        found: Tensor = self.model.head(hidden)
        return found[..., : self.limits.vocab].float()

    def take(self, rows: Sequence[int]) -> None:
        """Go on with these rows, some perhaps several times."""
        if list(rows) != list(range(self.rows)):
            self.state = choose_rows(self.state, torch.tensor(rows, device=self.device))
            self.rows = len(rows)

    def mark(self) -> None:
        """Remember this place, so that `back` can come here."""
        if not has_columns(self.state.layers):
            self.kept = replace(self.state, layers=_copied(self.state.layers)), len(self.ids)

    def back(self, length: int) -> None:
        """Forget what was read after the first `length` tokens: exactly, or from the mark on (see `ids`)."""
        if length >= len(self.ids):
            return
        if has_columns(self.state.layers):
            self.state.length = length
        else:
            assert self.kept is not None, "no mark to go back to"
            self.state, marked = self.kept
            assert marked <= length, "the mark stands behind what is to be kept"
            length = marked
            self.kept = None
        del self.ids[length:]


def room(writing: Writing, limits: Limits) -> int:
    """How many tokens may be written after a prompt; UserError where it cannot be written on."""
    engine.check([writing], limits)
    return engine.room(writing, limits)


def has_columns(kept: Any) -> bool:
    """Whether all that is remembered has a column a token, so that going back is setting a length."""
    if isinstance(kept, list | tuple):
        return all(has_columns(each) for each in kept)
    return kept is None or isinstance(kept, COLUMNS)


def _copied(kept: Any) -> Any:
    """A part of a state that stays as it is while the model reads on."""
    if isinstance(kept, Tensor):
        return kept.clone()
    if isinstance(kept, list | tuple):
        return type(kept)(_copied(each) for each in kept)
    if is_dataclass(kept) and not isinstance(kept, type) and not isinstance(kept, COLUMNS):
        changing = [each.name for each in fields(kept) if each.metadata.get("per_row", True)]
        return replace(kept, **{name: _copied(getattr(kept, name)) for name in changing})
    return kept
