"""The engine's thread: pieces as they come, a bounded queue, cancelling, draining, hundreds of requests at random."""

import random
import threading
import time

import pytest

from hornbook.core.errors import UserError
from hornbook.generate.sample import Sampling
from hornbook.generate.serving import Engine, EngineSettings, Full, Piece, Request
from tests.generate.speaking import LENGTH, alone, engine, ids_of, request, speaker


def test_tickets_are_told_their_texts_piece_by_piece() -> None:
    lm = speaker("llama")
    running = engine(lm)
    asked = [request(lm, [5, 9, i], seed=i, max_new_tokens=9 + i) for i in range(2, 8)]
    tickets = [running.submit(each) for each in asked]
    running.start()
    for each, ticket in zip(asked, tickets, strict=True):
        pieces = list(ticket)
        assert ids_of(pieces) == alone(lm, each).new
        assert "".join(piece.text for piece in pieces) == lm.tokenizer.decode(ids_of(pieces))
        assert [piece.reason for piece in pieces] == [None] * (len(pieces) - 1) + ["length"]
        assert (ticket.usage.prompt, ticket.usage.new) == (3, each.max_new_tokens)
    running.close()
    stats = running.stats()
    assert (stats["requests"], stats["active"], stats["waiting"], stats["failed"]) == (6, 0, 0, 0)
    assert stats["new_tokens"] == sum(each.max_new_tokens for each in asked)
    assert stats["first_tokens"] == 6
    assert stats["first_token_seconds"] > 0


def test_the_end_token_and_stop_strings_end_a_text() -> None:
    lm = speaker("llama")
    free = alone(lm, request(lm, [5, 9], seed=2, max_new_tokens=20)).new
    running = engine(speaker("llama", end=frozenset([free[6]])))
    running.start()
    pieces = list(running.submit(request(lm, [5, 9], seed=2, max_new_tokens=20)))
    assert (ids_of(pieces), pieces[-1].reason) == (free[: free.index(free[6])], "end")
    running.close()
    running = engine(lm)
    running.start()
    stop = lm.tokenizer.decode(free[2:4])[1:3]  # begins and ends within tokens
    pieces = list(running.submit(request(lm, [5, 9], seed=2, max_new_tokens=20, stop=(stop,))))
    text = "".join(piece.text for piece in pieces)
    assert pieces[-1].reason == "stop"
    assert text == lm.tokenizer.decode(free).partition(stop)[0]
    running.close()


def test_a_full_queue_refuses_and_takes_again_when_there_is_room() -> None:
    lm = speaker("llama")
    running = engine(lm, queue=2)
    tickets = [running.submit(request(lm, [5], max_new_tokens=3)) for _ in range(2)]
    with pytest.raises(Full, match="2 requests wait already"):
        running.submit(request(lm, [5]))
    tickets[0].cancel()
    tickets.append(running.submit(request(lm, [6], max_new_tokens=3)))
    running.start()
    assert [list(ticket)[-1].reason for ticket in tickets] == ["cancelled", "length", "length"]
    running.close()
    with pytest.raises(Full, match="closing"):
        running.submit(request(lm, [5]))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"prompt": []}, "prompt: has no token"),
        ({"prompt": [1] * (LENGTH + 1)}, f"prompt: 65 tokens do not fit the model's {LENGTH}"),
        ({"prompt": [1, 500]}, "prompt: 500 is no token"),
        ({"prompt": [-1]}, "prompt: -1 is no token"),
        ({"prompt": [1], "max_new_tokens": -1}, "max_new_tokens: -1"),
        ({"prompt": [1], "stop": ("",)}, "stop: an empty text"),
        ({"prompt": [1], "source": [3]}, "source: goes with an encoder-decoder"),
        ({"prompt": [1], "top_log_probabilities": -1}, "top_log_probabilities: -1"),
        ({"prompt": [1], "sampling": Sampling(bias={500: 1.0})}, "bias: there is no token 500"),
    ],
)
def test_what_can_never_be_answered_is_refused_at_once(asked: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        engine(speaker("llama")).submit(Request(**asked))  # type: ignore[arg-type]


def test_settings_that_let_nothing_through_are_refused() -> None:
    for bad in ({"slots": 0}, {"queue": 0}, {"chunk": 0}, {"capacity": 1}, {"prefix_bytes": -1}):
        with pytest.raises(UserError, match=f"{next(iter(bad))}: "):
            EngineSettings(**bad)


def test_no_room_ends_at_once_and_capacity_is_the_window() -> None:
    lm = speaker("llama")
    running = engine(lm, capacity=10)
    running.start()
    assert [piece.reason for piece in running.submit(request(lm, [5] * 10))] == ["length"]
    assert [piece.reason for piece in running.submit(request(lm, [5], max_new_tokens=0))] == ["length"]
    asked = request(lm, [5, 9], seed=1, max_new_tokens=50)
    assert ids_of(running.submit(asked)) == alone(lm, asked, context=10).new
    with pytest.raises(UserError, match="11 tokens do not fit the model's 10"):
        running.submit(request(lm, [5] * 11))
    running.close()


def test_closing_drains_or_drops() -> None:
    lm = speaker("llama")
    for drain, last in ((True, "length"), (False, "cancelled")):
        running = engine(lm, slots=1)
        tickets = [running.submit(request(lm, [5], max_new_tokens=60)) for _ in range(3)]
        running.start()
        assert running.alive
        running.close(drain=drain)
        assert not running.alive
        assert [list(ticket)[-1].reason for ticket in tickets] == [last] * 3
    never = engine(lm)
    ticket = never.submit(request(lm, [5]))
    never.close()
    assert [piece.reason for piece in ticket] == ["cancelled"], "one that never began answers too"


def test_a_listener_is_told_in_the_engines_thread_also_what_came_before() -> None:
    lm = speaker("llama")
    running = engine(lm)
    running.start()
    asked = request(lm, [5, 9], seed=1, max_new_tokens=30)
    ticket, heard, ended = running.submit(asked), list[Piece](), threading.Event()

    def hear(piece: Piece) -> None:
        heard.append(piece)
        if piece.reason is not None:
            ended.set()

    time.sleep(0.02)
    ticket.listen(hear)
    assert ended.wait(60)
    assert ids_of(heard) == alone(lm, asked).new
    running.close()


def test_a_listener_that_fails_ends_its_own_request() -> None:
    lm = speaker("llama")
    running = engine(lm)

    def fails(piece: Piece) -> None:
        raise RuntimeError("the client is gone")

    asked = request(lm, [5, 9], seed=1, max_new_tokens=9)
    lost, kept = running.submit(asked), running.submit(asked)
    lost.listen(fails)
    running.start()
    assert ids_of(kept) == alone(lm, asked).new
    running.close()
    assert str(lost.error) == "the client is gone"


@pytest.mark.parametrize("name", ["llama", "mamba", "t5"])
def test_hundreds_of_requests_and_cancels_at_random(name: str) -> None:
    """Every accepted one is answered; no slot is stuck; nothing is left in memory."""
    lm, draw = speaker(name), random.Random(4)
    running = Engine(lm, EngineSettings(slots=6, queue=40, chunk=16, prefix_bytes=200_000))
    running.start()
    tickets, refused = [], 0
    for number in range(240):
        ids = [2 + (7 * i + number % 3) % 90 for i in range(draw.randrange(1, 30))]
        try:
            tickets.append(running.submit(request(lm, ids, seed=number, max_new_tokens=draw.randrange(25))))
        except Full:
            refused += 1
            time.sleep(0.05)
        if tickets and draw.random() < 0.2:
            draw.choice(tickets).cancel()
        assert running.stats()["prefix_bytes"] <= 200_000
    running.close()
    reasons = [list(ticket)[-1].reason for ticket in tickets]
    stats = running.stats()
    assert set(reasons) == {"length", "cancelled"}
    assert len(tickets) + refused == 240
    assert stats["requests"] == len(tickets)
    assert stats["cancelled"] == reasons.count("cancelled")
    assert (stats["active"], stats["waiting"], stats["failed"]) == (0, 0, 0)
    assert running._turns.slots.memory is None
    for ticket, reason in list(zip(tickets, reasons, strict=True))[::40]:
        assert reason == "cancelled" or ticket.usage.new == ticket.request.max_new_tokens
