"""The state of one text by itself: cut out of a batch, kept for later, taken up again.

What attention remembers can be cut to its first tokens, which is what another prompt with the same beginning needs.
What a recurrence remembers is of one size and can only be taken whole.
"""

from dataclasses import replace
from typing import Any

from torch import Tensor

from hornbook.model.op import Grows, State, change_each


def stretch(grows: Grows, tensor: Tensor, first: int, length: int) -> Tensor:
    """The part of a tensor in which `length` tokens stand that begin at column `first`; a view."""
    if grows.by == "columns":
        return tensor.narrow(grows.dim, first, length)
    if grows.by == "steps":
        return tensor.narrow(grows.dim, 0, length)
    return tensor


def tensors(state: State) -> list[tuple[Grows, Tensor]]:
    """What the layers remember of each text, and how it grows."""
    found: list[tuple[Grows, Tensor]] = []

    def note(grows: Grows, tensor: Tensor) -> Tensor:
        found.append((grows, tensor))
        return tensor

    change_each(note, state.layers)
    return found


def kinds(state: State) -> set[str | None]:
    """How the tensors of a state grow (`Grows.by`)."""
    return {grows.by for grows, _ in tensors(state)}


def shorten(state: State, length: int) -> State:
    """A copy of the first `length` tokens of a text's state, no larger than they are."""
    layers = change_each(lambda grows, tensor: stretch(grows, tensor, 0, length).clone(), state.layers)
    return replace(state, layers=layers, length=length, capacity=length)


def resume(model: Any, kept: State, length: int, capacity: int) -> State:
    """A state with room for `capacity` tokens that has read the first `length` of what `kept` has read."""
    fresh: State = model.new_state(1, capacity)

    def fill(grows: Grows, tensor: Tensor, old: Tensor) -> Tensor:
        if grows.by is None:  # of one size; an empty state may have one tensor in two places, so it is not written into
            return old.clone()
        stretch(grows, tensor, 0, length).copy_(stretch(grows, old, 0, length))
        return tensor

    return replace(fresh, layers=change_each(fill, fresh.layers, kept.layers), length=length)


def size(state: State) -> int:
    """Bytes of a state of one text."""
    return sum(tensor.numel() * tensor.element_size() for _, tensor in tensors(state))
