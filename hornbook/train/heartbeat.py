"""Which rank holds up the others: every rank says where it is, and a training that stands still ends in one sentence.

A collective in which one rank is missing waits for ever, deaf to everything. So a thread of each rank counts in a file
of its own in the run folder and reads the others' when this rank has not moved for a while: a rank whose count stands
still is stopped, dead or cut off; otherwise the one with fewest steps is behind. Files, because the process group's
store lives in rank 0, which may be the one that stopped.
"""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hornbook.train.parallel import AGAIN, Ranks, leave

CODE = 2  # what the process ends with; torchrun then starts all again
BEATS = 10  # in the time after which a training is given up


@dataclass(frozen=True)
class Heard:
    """What a rank's file says, and since when."""

    said: str  # count and step
    since: float

    @property
    def step(self) -> int:
        """Where that rank is; 0 if it never said."""
        return int(self.said.partition(" ")[2] or 0)


class Heartbeat:
    """Watches a training while it is entered."""

    def __init__(self, folder: Path, ranks: Ranks, step: Callable[[], int], *, seconds: float):
        """`step`: where this rank is; `seconds` without a step, looks and checkpoints included, are too many."""
        self.folder, self.ranks, self.step, self.seconds = folder, ranks, step, seconds
        self.over = threading.Event()
        self.thread: threading.Thread | None = None

    def __enter__(self) -> "Heartbeat":
        if self.ranks.world > 1:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.thread = threading.Thread(target=self._watch, daemon=True)
            self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        if self.thread is not None:
            self.thread.join()
            self._file(self.ranks.rank).unlink(missing_ok=True)
            with suppress(OSError):  # the last one takes the folder with it
                self.folder.rmdir()

    def _watch(self) -> None:
        heard, moved = dict[int, Heard](), (self.step(), time.monotonic())
        count = 0
        while not self.over.wait(self.seconds / BEATS):
            count, now = count + 1, time.monotonic()
            self._file(self.ranks.rank).write_text(f"{count} {self.step()}")
            for rank in range(self.ranks.world):
                said = self._read(rank)
                if rank not in heard or said not in ("", heard[rank].said):  # "": being written
                    heard[rank] = Heard(said, now)
            if self.step() != moved[0]:
                moved = self.step(), now
            if now - moved[1] >= self.seconds:
                why = blame({rank: (each.step, now - each.since) for rank, each in heard.items()}, self.seconds)
                print(f"error: {why}; {AGAIN}", file=sys.stderr, flush=True)
                leave(CODE)

    def _file(self, rank: int) -> Path:
        return self.folder / f"rank-{rank:05d}"

    def _read(self, rank: int) -> str:
        try:
            return self._file(rank).read_text()
        except FileNotFoundError:
            return ""


def blame(ranks: Mapping[int, tuple[int, float]], seconds: float) -> str:
    """Who holds up the others, from each one's step and the seconds since it was last heard.

    >>> blame({0: (12, 0.1), 1: (12, 40.0)}, 30.0)
    'rank 1: not heard for 40 seconds at step 12, all wait for it'
    >>> blame({0: (12, 0.1), 1: (11, 0.1)}, 30.0)
    'rank 1: at step 11 for 30 seconds while others are at 12'
    >>> blame({0: (12, 0.1), 1: (12, 0.1)}, 30.0)
    'all ranks: at step 12 for 30 seconds'
    """
    silent = max(ranks, key=lambda rank: ranks[rank][1])
    step, since = ranks[silent]
    if since >= seconds / 2:
        return f"rank {silent}: not heard for {since:.0f} seconds at step {step}, all wait for it"
    behind = min(ranks, key=lambda rank: ranks[rank][0])
    step, most = ranks[behind][0], max(each for each, _ in ranks.values())
    if step < most:
        return f"rank {behind}: at step {step} for {seconds:g} seconds while others are at {most}"
    return f"all ranks: at step {step} for {seconds:g} seconds"
