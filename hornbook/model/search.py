"""RNNsearch: a recurrent decoder that looks for the words of the source it needs, the first attention there was.

    weights[i, j] = softmax over j of score . tanh(W h[i-1] + U memory[j])      how word j answers state i - 1
    seen[i]       = sum of weights[i, j] * memory[j]
    h[i]          = GRU(h[i-1]; x[i], seen[i])
    output        = maxout(h[i], x[i], seen[i])                                 the larger of each pair of channels

Bahdanau, Cho and Bengio 2015, section 3 and appendix A.2. U memory is computed once per source. Of the paper's readout
the last matrix is the model's head; where its appendix A.2.2 writes h[i-1] in it, this follows its equation 4, h[i].
Without a search, `Summary` gives every step the one vector in which the source ends (Cho et al. 2014, section 2.2).
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from hornbook.model.blank import Linear, OwnNumbers
from hornbook.model.gru import draw_gates
from hornbook.model.op import Context, Grows, Op
from hornbook.model.steps import steps_of


@dataclass(frozen=True, kw_only=True)
class Additive:
    """Look for it: a small network compares the state with every word of the source."""

    hidden: int  # channels of that network

    def build(self, asking: int, dim: int) -> "AdditiveAttend":
        return AdditiveAttend(asking, dim, self.hidden)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The last word's vector stands for the whole source."""

    def build(self, asking: int, dim: int) -> "LastWord":  # noqa: ARG002 -- it asks nothing
        return LastWord()


@dataclass(frozen=True, kw_only=True)
class AttentiveGRU:
    """A GRU that is given a view of the source at every step."""

    hidden: int  # numbers carried on
    look: Additive | Summary

    def __post_init__(self) -> None:
        for name, value in {"hidden": self.hidden, "look.hidden": getattr(self.look, "hidden", 1)}.items():
            if value < 1:
                raise ValueError(f"{name}: {value} channels hold nothing; give at least 1")

    def build(self, dim: int) -> "SearchingRecurrence":
        return SearchingRecurrence(dim, self)


class AdditiveAttend(nn.Module):
    """Shaped like attend.py's `Attend`, with one head, so that the same hooks see its weights."""

    def __init__(self, asking: int, dim: int, hidden: int) -> None:
        super().__init__()
        self.query, self.key = Linear(asking, hidden, bias=False), Linear(dim, hidden, bias=False)
        self.score = Linear(hidden, 1, bias=False)

    def forward(
        self,
        q: Float[Tensor, "batch 1 time asking"],
        k: Float[Tensor, "batch 1 places hidden"],
        v: Float[Tensor, "batch 1 places dim"],
        mask: Bool[Tensor, "batch 1 1 places"] | None,
    ) -> Float[Tensor, "batch 1 time dim"]:
        """What is found: values weighed by how well their keys answer."""
        return self.weights(q, k, mask) @ v

    def weights(
        self,
        q: Float[Tensor, "batch 1 time asking"],
        k: Float[Tensor, "batch 1 places hidden"],
        mask: Bool[Tensor, "batch 1 1 places"] | None,
    ) -> Float[Tensor, "batch 1 time places"]:
        """The alignment: every row sums to 1."""
        scores: Tensor = self.score(torch.tanh(self.query(q)[:, :, :, None] + k[:, :, None])).squeeze(-1)
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        return scores.softmax(-1)

    def keys(self, memory: Float[Tensor, "batch places dim"]) -> Float[Tensor, "batch 1 places hidden"]:
        """U memory, once per source."""
        keys: Tensor = self.key(memory)
        return keys[:, None]

    def entry(self, real: Bool[Tensor, "batch places"]) -> Tensor:
        """The place whose vector the decoder starts from: the first, which a backward reader read last."""
        return real.byte().argmax(1)


class LastWord(nn.Module):
    """All weight on the last word of the source."""

    def forward(self, q: Tensor, k: Tensor, v: Float[Tensor, "batch 1 places dim"], mask: Tensor | None) -> Tensor:
        return self.weights(q, k, mask) @ v

    def weights(self, q: Tensor, k: Tensor, mask: Tensor | None) -> Float[Tensor, "batch 1 time places"]:
        """1 at the last place, 0 elsewhere."""
        places = k.shape[2]
        real = torch.ones(k.shape[0], places, dtype=torch.bool, device=k.device) if mask is None else mask[:, 0, 0]
        weights = nn.functional.one_hot(self.entry(real), places).to(q.dtype)
        return weights[:, None, None].expand(-1, -1, q.shape[2], -1)

    def keys(self, memory: Float[Tensor, "batch places dim"]) -> Float[Tensor, "batch 1 places dim"]:
        """Nothing is compared: the memory itself, for its size."""
        return memory[:, None]

    def entry(self, real: Bool[Tensor, "batch places"]) -> Tensor:
        """The place whose vector the decoder starts from: the last."""
        return real.shape[1] - 1 - real.flip(1).byte().argmax(1)


@dataclass
class SearchState:
    """What the decoder carries on, and the keys of the source; None until there is a source."""

    hidden: Float[Tensor, "batch hidden"] | None = None
    keys: Float[Tensor, "batch 1 places asked"] | None = field(default=None, metadata={"grows": Grows("source", 2)})


class SearchingRecurrence(Op, OwnNumbers):
    def __init__(self, dim: int, config: AttentiveGRU) -> None:
        super().__init__()
        self.hidden, self.dim = config.hidden, dim
        self.start = Linear(dim, config.hidden)
        self.attend = config.look.build(config.hidden, dim)
        self.input = Linear(dim, 3 * config.hidden)  # reset, update, new: of the word before
        self.seen = Linear(dim, 3 * config.hidden, bias=False)  # of what is seen of the source
        self.onwards = Linear(config.hidden, 3 * config.hidden)  # of what is carried on
        self.output = Linear(config.hidden + 2 * dim, 2 * dim)

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- the same at every depth
        """As every GRU (gru.py)."""
        draw_gates(self.input.weight, self.onwards.weight, generator)
        draw_gates(self.seen.weight, self.onwards.weight, generator)

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: SearchState | None = None
    ) -> Float[Tensor, "batch time dim"]:
        assert context.memory is not None, "attentive_gru looks at a memory: it belongs into an encoder_decoder"
        steps, memory, real = steps_of(context.sight), context.memory, context.memory_real
        state = state or SearchState()
        if state.hidden is None or state.keys is None:
            state.hidden, state.keys = self._enter(memory, real), self.attend.keys(memory)
        x, mask = steps.line_up(x), None if real is None else real[:, None, None]
        before, each, seen = state.hidden, [state.hidden], []
        for word in self.input(x).unbind(1):
            seen.append(self.attend(each[-1][:, None, None], state.keys, memory[:, None], mask)[:, 0, 0])
            each.append(_step(word + self.seen(seen[-1]), self.onwards(each[-1]), each[-1]))
        hidden = torch.stack(each[1:], 1)
        state.hidden = steps.last(before, hidden)
        pairs = self.output(torch.cat([hidden, x, torch.stack(seen, 1)], -1))
        return steps.put_back(pairs.unflatten(-1, (self.dim, 2)).amax(-1))

    def _enter(self, memory: Tensor, real: Tensor | None) -> Float[Tensor, "batch hidden"]:
        """The state before the first word, from the place that has seen the whole source."""
        every = torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device) if real is None else real
        rows = torch.arange(memory.shape[0], device=memory.device)
        return torch.tanh(self.start(memory[rows, self.attend.entry(every)]))

    def new_state(self, batch: int, capacity: int) -> SearchState:  # noqa: ARG002 -- of one size for every capacity
        """Empty until the memory has been seen."""
        return SearchState()

    def flops(self, length: int) -> int:
        """Adds the weighted sum over a source as long as the text, and that every word of it is scored each time."""
        scored = sum(weight.numel() for name, weight in self.attend.named_parameters() if name == "score.weight")
        return super().flops(length) + 2 * self.dim * length + 2 * scored * (length - 1)


def _step(given: Float[Tensor, "batch gates"], carried: Float[Tensor, "batch gates"], before: Tensor) -> Tensor:
    """One step of a GRU, from the gates' sums over what is given and over what is carried on."""
    hidden = before.shape[-1]
    gates = torch.sigmoid(given[:, : 2 * hidden] + carried[:, : 2 * hidden])
    reset, update = gates.chunk(2, -1)
    new = torch.tanh(given[:, 2 * hidden :] + reset * carried[:, 2 * hidden :])
    return torch.lerp(new, before, update)
