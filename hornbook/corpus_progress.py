"""How far the making of a corpus is: a bar for every stage on a terminal, now and then a line where there is none."""

import sys
import time
from types import TracebackType
from typing import Any

from hornbook.console import EVERY, short, span
from hornbook.core.portions import shortened

NAME = 38  # letters of a stage's name; it lists the steps


class Bars:
    """Is told what is being done and how far it is (corpus.engine.Progress)."""

    def __init__(self, unit: str = "B") -> None:
        self.unit = unit  # of what is counted: bytes
        self.name, self.began, self.last_line = "", 0.0, 0.0
        self.bars: Any = None
        self.bar: Any = None

    def __enter__(self) -> "Bars":
        if sys.stdout.isatty():
            self.bars = _bars()
            self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.bars is not None:
            self.bars.stop()

    def __call__(self, name: str, done: int, total: int) -> None:
        """So many bytes of so many; 0 of 0 where that cannot be said."""
        now = time.monotonic()
        if name != self.name:
            self._finish()
            self.name, self.began, self.last_line = name, now, now
            if self.bars is not None:
                self.bar = self.bars.add_task(shortened(name, NAME), total=total or None, said="")
        if self.bars is not None:
            self.bars.update(self.bar, completed=done, said=self._said(done, total, now))
        elif total and now - self.last_line >= EVERY:
            self.last_line = now
            print(f"{shortened(name, NAME):<{NAME}}  {self._said(done, total, now)}", flush=True)

    def _said(self, done: int, total: int, now: float) -> str:
        return said(done, total, now - self.began, unit=self.unit)

    def _finish(self) -> None:
        """A stage of which it could not be said how far it was ends when the next begins."""
        if self.bars is not None and self.bar is not None and self.bars.tasks[-1].total is None:
            self.bars.update(self.bar, total=1, completed=1, said=span(time.monotonic() - self.began))


def _bars() -> Any:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (
        TextColumn("{task.description:<" + str(NAME) + "}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[said]}", markup=False),
        SpinnerColumn(finished_text=""),
    )
    return Progress(*columns)


def said(done: int, total: int, seconds: float, *, unit: str = "B") -> str:
    """What is done, rate and time left in one line.

    >>> said(32_000_000, 64_000_000, 8.0)
    '32MB of 64MB  4.0MB/s  left 8s'
    >>> said(120, 120, 60.0, unit=" asked")
    '120 asked  2 asked/s  1m00s'
    """
    if not done:
        return f"{short(total)}{unit}" if total else ""
    rate = done / max(seconds, 1e-9)
    if done >= total:
        return f"{short(done)}{unit}  {short(rate)}{unit}/s  {span(seconds)}"
    return f"{short(done)}{unit} of {short(total)}{unit}  {short(rate)}{unit}/s  left {span((total - done) / rate)}"
