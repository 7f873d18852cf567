"""Seconds by name: what each step of a task took.

Times differ from run to run, so they are kept apart from everything that does not.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from hornbook.core.files import read_json
from hornbook.corpus.task import places, stages

T = TypeVar("T")


class Clock:
    """Adds up the seconds spent under each name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """The time until the block ends."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def each(self, name: str, things: Iterable[T]) -> Iterator[T]:
        """The same things, and the time that it takes to get them."""
        stream, end = iter(things), object()
        while True:
            with self(name):
                thing = next(stream, end)
            if thing is end:
                return
            yield thing  # type: ignore[misc]  # is no `end`


def timing(work: Path) -> dict[str, Any]:
    """What the tasks of every stage took, summed over the workers, from the files they have left."""
    listed = []
    for stage in stages(work):
        steps: dict[str, float] = {}
        parts = [place.timing for place in places(stage)]
        for path in [*parts, stage / "decided"]:
            for name, seconds in read_json(path).items() if path.is_file() else ():
                steps[name] = steps.get(name, 0.0) + seconds
        listed.append({"tasks": len(parts), "steps": {name: round(seconds, 3) for name, seconds in steps.items()}})
    return {"stages": listed}
