"""Requests that come and go write what each writes alone, whatever the model remembers; those that fail fail alone."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate.answer import Answer
from hornbook.generate.prefix import Prefixes
from hornbook.generate.sample import Sampling
from hornbook.generate.ticket import Request, Ticket
from hornbook.generate.turns import Turns
from tests.generate.speaking import DECODERS, LENGTH, WITH_SOURCE, Speaker, alone, ids_of, request, speaker

SAMPLINGS = [
    Sampling(temperature=0),
    Sampling(temperature=1.2, top_k=20),
    Sampling(temperature=0.8, top_p=0.9, repetition_penalty=1.3),
]


def turns(lm: Speaker, *, slots: int = 3, prefix_bytes: int = 0) -> Turns:
    return Turns(lm.module, slots, LENGTH, Prefixes(prefix_bytes))


def put(run: Turns, lm: Speaker, asked: Request) -> Ticket:
    ticket = Ticket(asked)
    run.waiting.append(Answer(ticket, lm, LENGTH))
    return ticket


def mixed(lm: Speaker, count: int, seed: int = 0) -> list[Request]:
    """Prompts that share beginnings, each with its own way of drawing and length."""
    draw = random.Random(seed)
    common = [draw.randrange(2, 100) for _ in range(20)]
    found = []
    for number in range(count):
        ids = common[: draw.randrange(21)] + [draw.randrange(2, 100) for _ in range(draw.randrange(1, 15))]
        how = SAMPLINGS[number % len(SAMPLINGS)]
        found.append(request(lm, ids, sampling=how, seed=number, max_new_tokens=draw.randrange(1, 25)))
    return found


@pytest.mark.parametrize("name", DECODERS + WITH_SOURCE)
@pytest.mark.parametrize(("chunk", "prefix_bytes"), [(64, 0), (5, 10**8)])
def test_each_request_writes_what_it_writes_alone(name: str, chunk: int, prefix_bytes: int) -> None:
    lm = speaker(name)
    run, tickets, asked = turns(lm, prefix_bytes=prefix_bytes), [], mixed(lm, 9)
    for each in asked:  # they come while others are being written
        tickets.append(put(run, lm, each))
        for _ in range(3):
            run.turn(chunk)
    while run.busy:
        run.turn(chunk)
    for each, ticket in zip(asked, tickets, strict=True):
        assert ids_of(ticket) == alone(lm, each).new
    assert run.tally.new_tokens == sum(ticket.usage.new for ticket in tickets) > 40
    assert (run.tally.cached_tokens > 0) == (prefix_bytes > 0 and name not in WITH_SOURCE)
    assert run.tally.prompt_tokens + run.tally.cached_tokens == sum(len(each.prompt) for each in asked)
    assert run.slots.memory is None, "no text, no memory"


@pytest.mark.parametrize("name", ["llama", "mamba", "t5"])
def test_who_is_cancelled_leaves_at_the_next_turn_and_the_others_stay(name: str) -> None:
    lm = speaker(name)
    run = turns(lm)
    asked = [request(lm, [5, 9, 3 + i], sampling=Sampling(), seed=i, max_new_tokens=20) for i in range(3)]
    tickets = [put(run, lm, each) for each in asked]
    for _ in range(6):
        run.turn(64)
    assert len(run.active) == 3
    tickets[0].cancel()
    run.turn(64)
    assert len(run.active) == len(run.slots.lengths) == 2
    while run.busy:
        run.turn(64)
    pieces = list(tickets[0])
    assert pieces[-1].reason == "cancelled"
    assert ids_of(pieces) == alone(lm, asked[0]).new[: len(ids_of(pieces))]
    assert [ids_of(ticket) for ticket in tickets[1:]] == [alone(lm, each).new for each in asked[1:]]


def test_who_waits_or_is_being_read_can_be_cancelled_too() -> None:
    lm = speaker("llama")
    run = turns(lm)
    tickets = [put(run, lm, request(lm, [7] * 30, max_new_tokens=5)) for _ in range(2)]
    run.turn(4)
    assert run.reading is not None
    for ticket in tickets:
        ticket.cancel()
    run.turn(4)
    assert not run.busy
    assert [[piece.reason for piece in ticket] for ticket in tickets] == [["cancelled"], ["cancelled"]]


class Only:
    """A constraint: so many tokens, all of them these; then done, or trouble."""

    def __init__(self, tokens: list[int], count: int, *, trouble: bool = False) -> None:
        self.tokens, self.left, self.trouble = tokens, count, trouble

    def allowed(self) -> Tensor:
        allowed = torch.zeros(131, dtype=torch.bool)
        allowed[self.tokens] = True
        return allowed

    def take(self, token: int) -> None:
        assert token in self.tokens
        self.left -= 1
        if self.trouble and not self.left:
            raise UserError("the form cannot be kept to")

    @property
    def done(self) -> bool:
        return self.left == 0


def test_a_constraint_is_kept_to_by_its_own_row_alone() -> None:
    lm = speaker("llama")
    run = turns(lm)
    form = Only([4, 8], 6)
    free, bound = (
        request(lm, [5, 9], seed=1, max_new_tokens=12),
        request(lm, [5, 9], max_new_tokens=12, constraint=form),
    )
    tickets = [put(run, lm, each) for each in (free, bound)]
    while run.busy:
        run.turn(64)
    assert ids_of(tickets[0]) == alone(lm, free).new
    pieces = list(tickets[1])
    assert set(ids_of(pieces)) <= {4, 8}
    assert (len(ids_of(pieces)), pieces[-1].reason) == (6, "end")


def test_log_probabilities_are_those_of_a_plain_pass_before_sampling() -> None:
    lm = speaker("llama")
    run = turns(lm)
    how = Sampling(temperature=0.7, repetition_penalty=1.5)
    tickets = [
        put(run, lm, request(lm, [5, 9, 3 + i], sampling=how, seed=i, max_new_tokens=9, top_log_probabilities=i))
        for i in range(3)
    ]
    while run.busy:
        run.turn(64)
    for number, ticket in enumerate(tickets):
        told = [each for piece in ticket for each in piece.log_probabilities]
        ids = [5, 9, 3 + number] + [each.id for each in told]
        wanted = lm.module(torch.tensor([ids])).logits[0, 2:-1].log_softmax(-1).detach()
        assert len(told) == 9
        for row, each in zip(wanted, told, strict=True):
            assert each.log_probability == pytest.approx(float(row[each.id]), abs=1e-4)
            top = row.topk(number) if number else None
            assert [token for token, _ in each.top] == ([] if top is None else top.indices.tolist())
            assert [chance for _, chance in each.top] == pytest.approx(
                [] if top is None else top.values.tolist(), abs=1e-4
            )


def trouble_of_a_constraint(lm: Speaker) -> Request:
    return request(lm, [5, 9], max_new_tokens=9, constraint=Only([4], 3, trouble=True))


def nothing_allowed(lm: Speaker) -> Request:
    return request(lm, [5, 9], max_new_tokens=9, constraint=Only([], 3))


def all_banned(lm: Speaker) -> Request:
    return request(lm, [5, 9], max_new_tokens=9, sampling=Sampling(banned=tuple(range(131))))


@pytest.mark.parametrize("bad", [trouble_of_a_constraint, nothing_allowed, all_banned])
def test_who_fails_fails_alone(bad: Callable[[Speaker], Request]) -> None:
    lm = speaker("llama")
    run = turns(lm)
    good = [request(lm, [3, i], seed=i, max_new_tokens=14) for i in (4, 5)]
    tickets = [put(run, lm, each) for each in (good[0], bad(lm), good[1])]
    while run.busy:
        run.turn(64)
    with pytest.raises(UserError, match=r"no token can be drawn|cannot be kept"):
        list(tickets[1])
    assert [ids_of(tickets[0]), ids_of(tickets[2])] == [alone(lm, each).new for each in good]
    assert (run.tally.failed, run.tally.requests, run.slots.lengths) == (1, 3, [])


def test_a_step_that_breaks_ends_those_in_it_and_the_next_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = speaker("llama")
    run = turns(lm)
    broken = put(run, lm, request(lm, [5], max_new_tokens=9))
    waiting = request(lm, [6], seed=3, max_new_tokens=9)
    run.turn(64)

    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(run.slots, "forward", breaks)
        run.turn(64)
    ticket = put(run, lm, waiting)
    while run.busy:
        run.turn(64)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(broken)
    assert ids_of(ticket) == alone(lm, waiting).new


def test_a_window_ends_a_text_each_at_its_own_place() -> None:
    for name in ("gpt2", "hyena", "mamba", "t5"):
        lm = speaker(name)
        run = turns(lm)
        asked = [request(lm, [5] * length, seed=length, max_new_tokens=1000) for length in (50, 64, 61)]
        tickets = [put(run, lm, each) for each in asked]
        while run.busy:
            run.turn(64)
        for each, ticket in zip(asked, tickets, strict=True):
            pieces = list(ticket)
            assert (ids_of(pieces), pieces[-1].reason) == (alone(lm, each).new, "length")
            assert len(each.prompt) + len(ids_of(pieces)) == LENGTH


@pytest.mark.parametrize("name", ["llama", "mamba", "jamba"])
def test_a_prompt_is_told_however_it_is_read_and_remembered(name: str) -> None:
    lm = speaker(name)
    ids = [5, 9, 3, 7, 7, 2, 8, 4, 6]
    wanted = lm.module(torch.tensor([ids])).logits[0].log_softmax(-1).detach()
    run = turns(lm, prefix_bytes=10**8)
    for chunk, tokens in ((4, 3), (64, 0), (1, 2)):
        ticket = put(run, lm, request(lm, ids, prompt_too=True, top_log_probabilities=2, max_new_tokens=tokens))
        while run.busy:
            run.turn(chunk)
        assert [each.id for each in ticket.prompt] == ids[1:]
        for row, each in zip(wanted, ticket.prompt, strict=False):
            assert each.log_probability == pytest.approx(float(row[each.id]), abs=1e-4)
            assert [token for token, _ in each.top] == row.topk(2).indices.tolist()
        pieces = list(ticket)
        assert (len(ids_of(pieces)), pieces[-1].reason) == (tokens, "length")
        assert ticket.usage.cached == 0
    assert run.tally.requests == 3
