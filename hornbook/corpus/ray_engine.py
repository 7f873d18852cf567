"""The tasks of a corpus on the machines of a Ray cluster; results in the order of the tasks.

Plain Ray tasks, not Ray Data: what passes between stages lies in files, as resuming after a kill wants it, so there is
no data to stream from one machine to the next; Ray Data would have to be told to keep the order, to take one task a
block and to raise our errors as they are, and weighs as much again as Ray itself.

Every machine sees the folder in which the command runs, and the sources, at the same path (NFS, Lustre, a mounted
bucket), and has hornbook installed. A task that dies with its machine is done again on another.
"""

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from hornbook.core.errors import UserError
from hornbook.corpus.local import AHEAD, cores

T = TypeVar("T")
R = TypeVar("R")

STORE_BYTES = 100_000_000  # of Ray on this machine alone: the results are accounts, nearly the least that Ray accepts
FAR = 4  # times what is running: no more results than that wait for a slow one before them
SECONDS = 10.0  # in which the head of a cluster must answer


@dataclass(frozen=True, kw_only=True)
class Ray:
    """The machines of a Ray cluster."""

    address: str | None = None
    """Of the cluster, such as `10.0.0.1:6379`, or `auto` for the one this machine is part of; null: none, a Ray of this
    machine alone for as long as the work takes."""

    def each(self, function: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
        """`function(thing)` for every thing, in order.

        Raises UserError where there is no Ray or no such cluster, and what the function raises.
        """
        with connected(self.address) as ray:
            yield from _each(ray, function, things)


def _each(ray: Any, function: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
    """Hand out as many as keep all processors busy; a slow one does not hold up the `FAR` rounds of them after it."""
    work = ray.remote(_in_folder)
    shared, folder = ray.put(function), os.getcwd()
    given: deque[Any] = deque()
    running: list[Any] = []
    try:
        for thing in things:
            room = AHEAD * int(ray.cluster_resources().get("CPU", 1))  # asked anew: a cluster may grow
            if len(running) >= room:
                _, running = ray.wait(running, num_returns=len(running) - room + 1)
            given.append(work.remote(shared, folder, thing))
            running.append(given[-1])
            while given and (given[0] not in running or len(given) >= FAR * room):
                yield _result(ray, given.popleft())
        while given:
            yield _result(ray, given.popleft())
    finally:
        for reference in given:
            ray.cancel(reference)


def _in_folder(function: Callable[[T], R], folder: str, thing: T) -> R:
    """What a worker does: names of files are those of the machine that gave the work."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise UserError(
            f"{folder}: {os.uname().nodename}, a machine of the Ray cluster, does not see this folder "
            f"({error.strerror}); run the command in a folder that all machines share"
        ) from None
    return function(thing)


def _result(ray: Any, reference: Any) -> Any:
    """What a worker gave; what it raised, as if it had been raised here."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError | OSError):
            raise error.cause from None
        raise


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """The module `ray`, joined to a cluster; a program that has joined one already stays with it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report to its makers
    try:
        import ray
    except ModuleNotFoundError:
        raise UserError("corpus.engine: ray is not installed; pip install 'hornbook[cluster]'") from None
    if ray.is_initialized():
        yield ray
        return
    if address and ":" in address:
        _check(address)
    alone = {"num_cpus": cores(), "include_dashboard": False, "object_store_memory": STORE_BYTES}
    try:
        ray.init(address or "local", logging_level="error", **({} if address else alone))
    except (ConnectionError, ValueError) as error:
        raise _no_cluster(str(address), str(error).splitlines()[0]) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _check(address: str) -> None:
    """Raise UserError where nothing answers: Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
    except (OSError, ValueError) as error:
        raise _no_cluster(address, str(error)) from None


def _no_cluster(address: str, why: str) -> UserError:
    """What to say where no cluster is."""
    return UserError(
        f"corpus.engine.address: no Ray cluster at {address} ({why}); start one with `ray start --head`, or leave the "
        "address out"
    )
