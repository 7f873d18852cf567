"""Pieces cross from another thread in order; time, a full queue and a client that goes end everything at once."""

import asyncio
import threading
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from hornbook.generate.serving import Full, Piece
from hornbook.serve.errors import Refused
from hornbook.serve.listening import MOST_REQUESTS, Listening, submit, while_there


class Ticket:
    """Says its pieces from a thread of its own."""

    def __init__(self, *texts: str, seconds: float = 0.001) -> None:
        self.texts, self.seconds, self.error = texts, seconds, None
        self.cancelled = False

    def listen(self, hear: Callable[[Piece], None]) -> None:
        def speak() -> None:
            for number, text in enumerate(self.texts):
                time.sleep(self.seconds)
                hear(Piece(text, [number], [], "end" if number + 1 == len(self.texts) else None))

        threading.Thread(target=speak).start()

    def cancel(self) -> None:
        self.cancelled = True


async def heard(tickets: list[Any], seconds: float = 5.0) -> list[tuple[int, str]]:
    return [(number, piece.text) async for number, piece in Listening(tickets, seconds).pieces()]


def test_pieces_of_several_come_in_order_until_all_have_ended() -> None:
    found = asyncio.run(heard([Ticket(*"abc"), Ticket(*"xy")]))
    assert [text for number, text in found if number == 0] == ["a", "b", "c"]
    assert [text for number, text in found if number == 1] == ["x", "y"]


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(Refused, match=r"longer than 0\.05 seconds") as raised:
        asyncio.run(heard([Ticket("a", "b", seconds=0.2)], 0.05))
    assert raised.value.status == 504


def test_a_ticket_that_failed_is_an_error() -> None:
    ticket = Ticket("a")
    ticket.error = ValueError("not finite")  # type: ignore[assignment]
    with pytest.raises(Refused, match="could not go on: not finite"):
        asyncio.run(heard([ticket]))


def test_all_requests_are_taken_or_none() -> None:
    taken: list[Ticket] = []

    class Small:
        def submit(self, _: Any) -> Ticket:
            if len(taken) == 2:
                raise Full("full")
            taken.append(Ticket())
            return taken[-1]

    requests: list[Any] = [None] * 3
    with pytest.raises(Refused) as raised:
        submit(Small(), requests)  # type: ignore[arg-type]
    assert (raised.value.status, raised.value.headers) == (429, {"Retry-After": "2"})
    assert [ticket.cancelled for ticket in taken] == [True, True]
    with pytest.raises(Refused, match="too many"):
        submit(Small(), [None] * (MOST_REQUESTS + 1))  # type: ignore[arg-type, list-item]


def test_a_client_that_goes_is_heard() -> None:
    class Client:
        async def receive(self) -> MutableMapping[str, Any]:
            await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}

    async def wait() -> bool:
        gone = asyncio.Event()
        async with while_there(Client(), gone.set):  # type: ignore[arg-type]
            await asyncio.wait_for(gone.wait(), 5)
        return gone.is_set()

    assert asyncio.run(wait())
