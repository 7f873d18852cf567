"""The process: a port, thousands of connections, and an end that lets every answer be finished.

uvicorn speaks HTTP. Added here: a connection that asks nothing is closed after a while, the system's bound on open
files is raised as far as it may be, and SIGTERM or Ctrl-C take no new request and end with what was begun (a second
Ctrl-C ends at once).
"""

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import Iterator
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from hornbook.core.errors import UserError
from hornbook.serve.gate import OURS, App

FILES = 65_536  # open ones, a connection each, where the system allows it
PATIENCE = 30.0  # seconds in which a new connection must have asked something
KEEP_ALIVE = 30  # seconds between two requests of a connection
BACKLOG = 2048  # connections that wait to be taken


class Impatient(H11Protocol):
    """Closes a connection that asks nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Look again after a while."""
        super().connection_made(transport)
        self.loop.call_later(PATIENCE, self._look)

    def _look(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


def bound(host: str, port: int) -> socket.socket:
    """A socket with its port, which nobody can speak to yet; port 0: any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound_to = socket.socket(family)
    bound_to.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound_to.bind((host, port))
    except (OSError, OverflowError) as error:
        bound_to.close()
        raise UserError(
            f"--port {port}: cannot be had on {host} ({error}); give another, or 0 for any that is free"
        ) from None
    return bound_to


def listen(bound_to: socket.socket) -> None:
    """From now on who connects waits to be taken."""
    bound_to.listen(BACKLOG)


def address(bound_to: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = bound_to.getsockname()[:2]
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{here}:{port}"


def is_here(host: str) -> bool:
    """Whether only this machine can reach a host."""
    return host in OURS or host.startswith("127.")


def run(app: App, bound_to: socket.socket, *, drain_seconds: int = 60) -> None:
    """Serve until a signal comes, then finish what was begun, for so many seconds at most."""
    _allow_files()
    config = uvicorn.Config(
        app,
        http=Impatient,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=drain_seconds,
    )
    with _ended_by_signal():
        uvicorn.Server(config).run(sockets=[bound_to])


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[None]:
    """uvicorn raises the signal that ended it once more at the end; ended as asked is ended well, with exit code 0."""

    def nothing(_: int, __: FrameType | None) -> None:
        pass

    before = {number: signal.signal(number, nothing) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
