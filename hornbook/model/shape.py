"""What all shapes of models share: shared parameters, first numbers, what a pass may look at and what it finds."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hornbook.model.init import Init
from hornbook.model.mask import Sight
from hornbook.model.op import State, count_positions, document_positions


@dataclass
class ModelOutput:
    """What a forward pass found."""

    hidden: Float[Tensor, "batch time dim"]  # the stream at the top; `model.head` turns it into logits
    scores: Float[Tensor, "batch *rest"] | None = None
    pooled: Float[Tensor, "batch dim"] | None = None  # one vector a row, where the model makes one
    balance: Float[Tensor, ""] | None = None  # experts in training: what their uneven use adds to the mean loss
    seq_relationship_logits: Float[Tensor, "batch 2"] | None = None  # BERT: B follows A, B is from elsewhere

    @property
    def logits(self) -> Float[Tensor, "batch *rest"]:
        """Scores: of the next (or hidden) token at every place (batch, time, vocab), or of labels (batch, labels)."""
        assert self.scores is not None, "this forward pass was called with logits=False; use model.head(output.hidden)"
        return self.scores


class ModelBase(nn.Module):
    """A model with its weights."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.family: str | None = None  # model_type of the file it was read from, by whose names it is saved again
        self.token_ids: dict[str, Any] = {}  # bos, eos, pad: carried from folder to folder, of no use in here

    def shared(self) -> dict[str, str]:
        """Parameters that are one: the second name of each -> its first."""
        return {}

    def tie(self) -> None:
        """Make the parameters one that `shared` says are."""
        for name, owner in self.shared().items():
            path, _, leaf = name.rpartition(".")
            setattr(self.get_submodule(path), leaf, self.get_parameter(owner))


def fill(model: ModelBase, init: Init, generator: torch.Generator | None) -> None:
    """Draw first numbers from `generator` (seed 0 without one); on the meta device there are none to draw."""
    device = torch.get_default_device()
    if device.type != "meta":
        init.fill(model, generator or torch.Generator(device).manual_seed(0))


def check_sizes(dim: int, length: int) -> None:
    """Refuse sizes of a model that cannot be."""
    for name, value in {"dim": dim, "length": length}.items():
        if value <= 0:
            raise ValueError(f"{name}: {value} is not above 0; give more")


def look(
    time: int, attention_mask: Tensor | None, documents: Tensor | None = None, state: State | None = None
) -> Sight:
    """What the `time` tokens of a pass may look at."""
    start = state.length if state else 0
    end = start + time
    if state and end > state.capacity:
        raise ValueError(f"{end} tokens do not fit a state made for {state.capacity}; make it with a larger capacity")
    if documents is not None and start:
        raise ValueError("document_ids: packed rows cannot go on from a state; decode each document as its own row")
    if attention_mask is None:
        return Sight(time, start, documents=documents)
    if attention_mask.shape[1] != end:
        raise ValueError(f"attention_mask: tells of {attention_mask.shape[1]} tokens, there are {end}; tell of all")
    return Sight(time, start, attention_mask.bool(), documents)


def positions_of(sight: Sight, device: torch.device, limit: int | None) -> Int[Tensor, "rows time"]:
    """Where each token stands: counted without padding and anew in each document; at most `limit`."""
    if sight.documents is not None:
        return document_positions(sight.documents)
    if sight.real is not None:
        return count_positions(sight.real)[:, sight.start :]
    if limit is not None and sight.start + sight.time > limit:
        raise ValueError(
            f"{sight.start + sight.time} tokens are more than the {limit} positions of the model; give fewer"
        )
    return sight.indices(device)[0][None]


def real_or_none(attention_mask: Tensor | None) -> Bool[Tensor, "batch time"] | None:
    """Which tokens are no padding; None where all are."""
    return None if attention_mask is None else attention_mask.bool()
