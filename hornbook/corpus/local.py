"""The tasks of a corpus in some processes of this machine; results in the order of the tasks."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2  # things handed out per process before the oldest answer is waited for: enough to keep all busy


@dataclass(frozen=True, kw_only=True)
class Local:
    """The processors of this machine."""

    USUAL: ClassVar[bool] = True

    processes: int | None = 1
    """That work at the same time; null: as many as there are cores. What comes out is the same."""

    def __post_init__(self) -> None:
        if self.processes is not None and self.processes < 1:
            raise ValueError(f"processes: {self.processes} do nothing; give 1 or more, or null for one per core")

    def each(self, function: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
        """`function(thing)` for every thing, in order."""
        return each(function, things, processes=self.processes or cores())


def each(function: Callable[[T], R], things: Iterable[T], *, processes: int) -> Iterator[R]:
    """`function(thing)` for every thing; with one process in this very one.

    Processes are spawned, not forked (threads of Arrow and torch do not survive a fork), so `function` must be found by
    its name and `things` be pickled.
    """
    if processes == 1:
        yield from map(function, things)
        return
    waiting: deque[Future[R]] = deque()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _end_with_parent) as pool:
        try:
            for thing in things:
                waiting.append(pool.submit(function, thing))
                if len(waiting) >= AHEAD * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next thing for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
