"""Ctrl-C and SIGTERM as a wish: finish the step, save, then stop."""

import signal
import types
from typing import Any


class Stop:
    """While this is entered, the two signals set `asked` instead of killing; a second one kills."""

    def __init__(self) -> None:
        self.asked = False
        self.signal: int = signal.SIGINT
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stop":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: types.FrameType | None) -> None:  # noqa: ARG002
        if self.asked:
            signal.signal(number, self._before[number])
            signal.raise_signal(number)
        self.asked, self.signal = True, number
