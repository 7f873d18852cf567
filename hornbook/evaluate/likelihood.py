"""How likely continuations are, computed once for what they share: header, then contexts, then continuations.

Few-shot questions of a subject begin with the same examples and the answers to a question with the same question. A
model's state (keys and values, or whatever it keeps) after the shared beginning is made once and copied to each row
that goes on from it. Only places whose next token is judged go through the head, the largest matrix of a small model.
Rows of unequal length stand side by side with padding where nothing but attention over positions looks back; models
that count differently (ALiBi, windows, recurrent states) read rows of one length together, which needs none.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from hornbook.evaluate.pairs import Branch, Family, Pair, branches, families
from hornbook.evaluate.passes import passes, state_bytes, takes_padding
from hornbook.model.attention import KeyValues
from hornbook.model.decoder import DecoderModel
from hornbook.model.op import choose_rows

ROOM = 256 << 20  # bytes of states at a time
JUDGED = 256  # places that go through the head at once: (places, vocab) scores are the largest tensor there is

Told = Callable[[int], None]  # hears how many more pairs are done


@dataclass(frozen=True)
class Likelihood:
    """Of one continuation: nats, and whether each of its tokens was the likeliest."""

    nats: float
    greedy: bool


@torch.inference_mode()
def likelihoods(model: DecoderModel, pairs: Sequence[Pair], *, told: Told = lambda _: None) -> list[Likelihood]:
    """The likelihood of every pair, in their order; contexts and continuations must fit the model together."""
    found: dict[int, Likelihood] = {}
    for family in families(branches(pairs)):
        desk = _Desk(model, family)
        for room in desk.rooms():
            found |= desk.read(room)
            told(sum(len(branch.continuations) for group in room for branch in group))
    return [found[number] for number in range(len(pairs))]


@dataclass(frozen=True)
class _Read:
    """Contexts that were read together: what the model remembers of each, and which of it is no padding."""

    state: Any
    seen: Tensor


@dataclass
class _Seen:
    """Hidden states of the places whose next tokens are judged, and which of them are each continuation's.

    All continuations of a context share the place before them, which goes through the head once.
    """

    parts: list[Tensor] = field(default_factory=list)
    places: dict[int, list[int]] = field(default_factory=dict)
    size: int = 0

    def add(self, part: Tensor, numbers: Iterable[int]) -> None:
        """Keep the next places of some continuations."""
        for number in numbers:
            self.places.setdefault(number, []).extend(range(self.size, self.size + len(part)))
        self.parts.append(part)
        self.size += len(part)


Asked = tuple[_Read, int, int, tuple[int, ...]]  # its context and the row there, number of the pair, its ids


class _Desk:
    """One family: the state after its header, and what is read from there."""

    def __init__(self, model: DecoderModel, family: Family) -> None:
        self.model, self.family, self.device = model, family, next(model.parameters()).device
        self.padded = takes_padding(model, _room(family.branches))
        self.state: Any = None
        self.used: Any = None
        if family.header:
            self.state = model.new_state(1, _room(family.branches))
            header = torch.tensor([family.branches[0].context[: family.header]], device=self.device)
            model(header, state=self.state, logits=False)

    def rooms(self) -> Iterator[list[list[Branch]]]:
        """Groups whose states are kept until all that follows them is read, sorted by length; of one kind of length
        where there may be no padding.
        """
        room: list[list[Branch]] = []
        taken, each = 0, state_bytes(self.model)
        for group in self._groups():
            size = each * _room(group) * sum(branch.longest > 0 for branch in group)
            if room and (taken + size > ROOM or not self.padded):
                yield room
                room, taken = [], 0
            room.append(group)
            taken += size
        yield room

    def _groups(self) -> Iterator[list[Branch]]:
        """Branches whose contexts are read together, longest first: what needs most memory is asked for at once."""
        ordered = sorted(self.family.branches, key=lambda branch: -len(branch.context))
        per_row = state_bytes(self.model) * _room(ordered)
        kept = self.family.header or not self.padded  # states for all that follows are taken at once
        sizes = [branch.states * per_row if kept else 0 for branch in ordered]
        lengths = [len(branch.context) - self.family.header for branch in ordered]
        for places in passes(lengths, sizes, ROOM, padded=self.padded):
            yield [ordered[place] for place in places]

    def read(self, room: list[list[Branch]]) -> dict[int, Likelihood]:
        """The likelihoods of a room, by the number of the pair."""
        hidden, longer = _Seen(), list[Asked]()
        for group in room:
            read = self._contexts(group, hidden)
            firsts = [(row, number, each) for row, branch in enumerate(group) for number, each in branch.each]
            longer += [(read, *first) for first in firsts if len(first[2]) > 1]
        for part in self._parts(longer):
            self._go_on(part, hidden)
        return self._judge({number: ids for group in room for branch in group for number, ids in branch.each}, hidden)

    def _contexts(self, group: list[Branch], hidden: _Seen) -> _Read:
        """Read contexts; the place before each one's continuations goes to `hidden`."""
        rows = [branch.context[self.family.header :] for branch in group]
        ids, real = _left_padded(rows, self.device)
        state = self._start(group)
        seen = torch.cat([real.new_ones(len(group), self.family.header), real], 1)
        where = (self.family.header + real.long().cumsum(1) - 1).clamp(min=0)
        last = self._pass(ids, where, state, seen).hidden[:, -1]
        for row, branch in enumerate(group):
            hidden.add(last[row : row + 1], branch.continuations)
        return _Read(state, seen)

    def _start(self, group: list[Branch]) -> Any:
        """The state after the header for each row; None where nothing was read and nothing goes on."""
        if self.state is not None:
            return choose_rows(self.state, torch.zeros(len(group), dtype=torch.long, device=self.device))
        goes_on = any(branch.longest for branch in group)
        return self.model.new_state(len(group), _room(group)) if goes_on else None

    def _parts(self, longer: list[Asked]) -> Iterator[list[Asked]]:
        """Continuations of a room that are read together."""
        ordered = sorted(longer, key=lambda each: -len(each[3]))
        lengths = [len(each[3]) - 1 for each in ordered]
        for places in passes(lengths, [0] * len(ordered), ROOM, padded=self.padded):
            yield [ordered[place] for place in places]

    def _go_on(self, part: list[Asked], hidden: _Seen) -> None:
        """Read some continuations from where their contexts end; padding to the right of them is unseen."""
        length = len(part[0][3]) - 1
        state, before = self._gathered([(read, row) for read, row, _, _ in part], length)
        ids = torch.zeros(len(part), length, dtype=torch.long, device=self.device)
        for place, (_, _, _, each) in enumerate(part):
            ids[place, : len(each) - 1] = torch.tensor(each[:-1], device=self.device)
        where = before.sum(1, keepdim=True) + torch.arange(length, device=self.device)
        found = self._pass(ids, where, state, torch.cat([before, before.new_ones(ids.shape)], 1)).hidden
        for place, (_, _, number, each) in enumerate(part):
            hidden.add(found[place, : len(each) - 1], [number])

    def _gathered(self, some: list[tuple[_Read, int]], room: int) -> tuple[Any, Tensor]:
        """One state, with room for more tokens, of rows that may have been read apart: all end at the same place."""
        reads = list({id(read): read for read, _ in some}.values())
        if len(reads) == 1:
            rows = torch.tensor([row for _, row in some], device=self.device)
            return choose_rows(reads[0].state, rows), reads[0].seen[rows]
        longest = max(read.seen.shape[1] for read in reads)
        state, seen = self._blank(len(some), longest + room), reads[0].seen.new_zeros(len(some), longest)
        for read in reads:
            places = torch.tensor([place for place, each in enumerate(some) if each[0] is read], device=self.device)
            rows = torch.tensor([row for each, row in some if each is read], device=self.device)
            width = read.seen.shape[1]
            seen[places, longest - width :] = read.seen[rows]
            for kept, old in zip(_memories(state), _memories(read.state), strict=True):
                kept[places, :, longest - width : longest] = old[rows, :, :width]
        state.length = longest
        return state, seen

    def _blank(self, rows: int, columns: int) -> Any:
        """A state whose content is to be written; a part of one that was used before, where that is large enough.

        What stands in it otherwise is seen by nobody, and to clear it takes as long as to fill it.
        """
        if self.used is None or self.used.capacity < columns or next(_memories(self.used)).shape[0] < rows:
            self.used = self.model.new_state(rows, columns)
        parts = [
            [kept and KeyValues(kept.keys[:rows, :, :columns], kept.values[:rows, :, :columns]) for kept in layer]
            for layer in self.used.layers
        ]
        return replace(self.used, layers=parts, capacity=columns)

    def _pass(self, ids: Tensor, where: Tensor, state: Any, seen: Tensor) -> Any:
        """One forward pass; padding may count further than the model's last position, where nobody looks."""
        mask = {} if bool(seen.all()) else {"attention_mask": seen}
        where = where.clamp(max=self.model.config.length - 1)
        return self.model(ids, **mask, positions=where, state=state, logits=False)

    def _judge(self, asked: dict[int, tuple[int, ...]], hidden: _Seen) -> dict[int, Likelihood]:
        """Each continuation's tokens against the scores of the places before them."""
        places, judged = torch.cat(hidden.parts), [place for number in asked for place in hidden.places[number]]
        wanted = [token for each in asked.values() for token in each]
        order = sorted(range(len(wanted)), key=judged.__getitem__)
        nats, greedy = torch.empty(len(wanted), dtype=torch.float64), torch.empty(len(wanted), dtype=torch.bool)
        start = 0
        for first in range(0, len(places), JUDGED):
            end = bisect_left(order, first + JUDGED, lo=start, key=judged.__getitem__)
            here, start = order[start:end], end
            rows = torch.tensor([judged[number] - first for number in here], device=self.device)
            tokens = torch.tensor([wanted[number] for number in here], device=self.device)
            scores = self.model.head(places[first : first + JUDGED]).float()
            nats[here], greedy[here] = _against(scores, rows, tokens)
        found, done = {}, 0
        for number, each in asked.items():
            mine = slice(done, done + len(each))
            found[number] = Likelihood(float(nats[mine].sum()), bool(greedy[mine].all()))
            done += len(each)
        return found


def _against(scores: Tensor, rows: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Nats of wanted tokens in rows of scores, and whether each is the likeliest (the first of equals); the scores are
    used up. The logarithm of the sum is written out so that it is done in place, and argmax, slow on CPUs, is asked
    only where the wanted token has the greatest score.
    """
    chosen, greatest = scores[rows, wanted], scores.amax(-1)
    greedy = chosen == greatest[rows]
    greedy[greedy.clone()] = scores[rows[greedy]].argmax(-1) == wanted[greedy]
    total = scores.sub_(greatest[:, None]).exp_().sum(-1)
    return (chosen - (greatest + total.log())[rows]).double().cpu(), greedy.cpu()


def _memories(state: Any) -> Iterator[Tensor]:
    """Keys and values of every layer."""
    for layer in state.layers:
        for kept in layer:
            if kept is not None:
                yield kept.keys
                yield kept.values


def _room(some: Sequence[Branch]) -> int:
    """Tokens that a row of these must have room for."""
    return max(len(branch.context) for branch in some) + max(branch.longest for branch in some)


def _left_padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows that end together, and where they are no padding."""
    longest = max(map(len, rows))
    ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return ids, torch.arange(longest, device=device) >= longest - lengths[:, None]
