"""Contestants take turns, step by step, in CPU seconds of all threads; what parts of a step take is watched."""

import time
from collections.abc import Callable
from typing import Any

Step = Callable[[], float]


def take_turns(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of every step; each contestant warms up with two."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(-2, rounds):
        for name, step in steps.items():
            started_at = time.process_time()
            step()
            if turn >= 0:
                seconds[name].append(time.process_time() - started_at)
    return seconds


class Watch:
    """A step of a policy, of which is known what writing and the update took.

    What the reference says of the texts is a term of the loss, so asking it is the update's; `asked` counts it as over
    and above, as the rest of the making of the batch is: rewards, checks, files.
    """

    def __init__(self, step: Step, source: Any) -> None:
        self.step, self.spent = step, {"generation": 0.0, "batch": 0.0, "reference": 0.0}
        self.shares: list[float] = []  # of every step: time over that of generation and update
        self.asked: list[float] = []  # the same, with the reference over and above them
        source.batch = self._timed("batch", source.batch)
        for name, part in (("generation", "_generate"), ("reference", "_reference")):
            object.__setattr__(source.writer, part, self._timed(name, getattr(source.writer, part)))

    def _timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            began = time.process_time()
            found = call(*given)
            self.spent[name] += time.process_time() - began
            return found

        return run

    def run(self) -> float:
        """A step, timed."""
        self.spent.update(generation=0.0, batch=0.0, reference=0.0)
        began = time.process_time()
        loss = self.step()
        whole = time.process_time() - began
        bare = whole - self.spent["batch"] + self.spent["generation"]
        self.asked.append(whole / bare)
        self.shares.append(whole / (bare + self.spent["reference"]))
        return loss
