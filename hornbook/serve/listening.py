"""From the engine's thread to the event loop: the pieces of several tickets, as they come, and an end for all of them.

The engine calls back in its own thread; each piece is handed to the loop and waits in a queue. When the client goes
away or the time is over, every ticket is cancelled, and its slot is free for the next request.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from fastapi import Request as HttpRequest

from hornbook.generate.serving import Engine, Full, Piece, Request, Ticket
from hornbook.serve.errors import Refused

MOST_REQUESTS = 128  # prompts times answers in one body
COME_BACK = 2.0  # seconds that a client is asked to wait when the queue is full


class Listening:
    """Several tickets, read together."""

    def __init__(self, tickets: Sequence[Ticket], seconds: float) -> None:
        """seconds: all that the answers may take together."""
        self.tickets, self.seconds = tickets, seconds
        self.began, self.first = time.monotonic(), 0.0  # when the first token came, after so many seconds
        self._queue: asyncio.Queue[tuple[int, Piece]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        for number, ticket in enumerate(tickets):
            ticket.listen(partial(self._hear, loop, number))

    def _hear(self, loop: asyncio.AbstractEventLoop, number: int, piece: Piece) -> None:
        """In the engine's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has gone
            loop.call_soon_threadsafe(self._queue.put_nowait, (number, piece))

    async def pieces(self) -> AsyncIterator[tuple[int, Piece]]:
        """Which ticket, and its next piece, until all have ended; Refused where one failed or the time is over."""
        open_tickets = len(self.tickets)
        while open_tickets:
            left = self.began + self.seconds - time.monotonic()
            try:
                number, piece = await asyncio.wait_for(self._queue.get(), max(left, 0.0))
            except TimeoutError:
                raise Refused(
                    f"the answer took longer than {self.seconds:g} seconds; ask for fewer tokens", 504, code="timeout"
                ) from None
            self.first = self.first or time.monotonic() - self.began
            error = self.tickets[number].error
            if error is not None:
                raise Refused(f"the model could not go on: {error}", 500, code="generation_failed")
            open_tickets -= piece.reason is not None
            yield number, piece

    def cancel(self) -> None:
        """Write no more for any of them; those that have ended stay as they are."""
        for ticket in self.tickets:
            ticket.cancel()


def submit(engine: Engine, requests: Sequence[Request]) -> list[Ticket]:
    """All requests of one body, or none: 429 where the queue has no room for them."""
    if len(requests) > MOST_REQUESTS:
        raise Refused(f"{len(requests)} answers in one request are too many; ask for at most {MOST_REQUESTS}")
    tickets: list[Ticket] = []
    try:
        for request in requests:
            tickets.append(engine.submit(request))
    except Full:
        for ticket in tickets:
            ticket.cancel()
        raise Refused("the queue is full; ask again in a moment", 429, code="queue_full", retry=COME_BACK) from None
    return tickets


@contextlib.asynccontextmanager
async def while_there(request: HttpRequest, gone: Callable[[], None]) -> AsyncIterator[None]:
    """Calls `gone` as soon as the client has closed its connection."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
