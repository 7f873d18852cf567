"""What a person sees in the terminal while a run goes on: one aligned line a step, then what was written where."""

import sys
import time
from collections.abc import Callable

from hornbook.core.run import Row

EVERY = 5.0  # seconds between lines where the output is a file and a line cannot be written over


class Console:
    """Hears of a run (see `train.job.Listener`) and prints. On a terminal the step's line is written in place."""

    def __init__(self, after_validation: Callable[[], object] = lambda: None) -> None:
        self.after_validation = after_validation
        self.live = sys.stdout.isatty()
        self.last_line = 0.0
        self.open = False

    def step(self, row: Row, total: int, seconds_left: float) -> None:
        """A step was taken."""
        now = time.monotonic()
        last = row["step"] >= total
        if not self.live and not last and row["step"] > 1 and now - self.last_line < EVERY:
            return
        self.last_line = now
        text = step_line(row, total, seconds_left)
        if self.live:
            sys.stdout.write("\r\x1b[2K" + text)
            sys.stdout.flush()
            self.open = True
        else:
            print(text, flush=True)

    def validated(self, row: Row) -> None:
        """The held-out rows were looked at."""
        text = f"         held-out loss {row['validation_loss']:.3f}"
        if "validation_bits_per_byte" in row:
            text += f"  bits per byte {row['validation_bits_per_byte']:.3f}"
        text += "".join(f"  {name} {share:.1%}" for name, share in shares(row).items())
        self.note(f"{text}  at step {row['step']}, {span(row['seconds'])}")
        self.after_validation()

    def sampled(self, rows: list[Row]) -> None:
        """The model wrote something."""
        for row in rows[:1]:
            written = row["prompt"] + row["text"] if "target" not in row else f"{row['prompt']}\n-> {row['text']}"
            text = written.strip().replace("\n", "\n         | ")
            self.note(f"         | {text}")

    def note(self, text: str) -> None:
        """A line of its own."""
        if self.open:
            sys.stdout.write("\r\x1b[2K")
            self.open = False
        print(text, flush=True)

    def close(self) -> None:
        """End the line that is still open."""
        if self.open:
            print(flush=True)
            self.open = False


def step_line(row: Row, total: int, seconds_left: float) -> str:
    """One line for one step.

    >>> step_line({"step": 12, "loss": 3.2, "lr": 3e-4, "tokens_per_second": 41000}, 5000, 720)
    'step   12/5000  loss 3.200  lr 3.0e-04  41k tok/s  left 12m00s'
    """
    width = len(str(total))
    parts = [f"step {row['step']:>{width}}/{total}", f"loss {row['loss']:.3f}"]
    if "bits_per_byte" in row:
        parts.append(f"bpb {row['bits_per_byte']:.3f}")
    parts += [f"lr {row['lr']:.1e}", f"{short(row['tokens_per_second'])} tok/s"]
    if "mfu" in row:
        parts.append(f"mfu {row['mfu']:.0%}")
    return "  ".join([*parts, f"left {span(seconds_left)}"])


def shares(row: Row) -> dict[str, float]:
    """What a validation row says of right answers, by the words for it.

    >>> shares({"step": 3, "validation_loss": 2.0, "validation_next_sentence_accuracy": 0.75})
    {'next sentence accuracy': 0.75}
    """
    found = {key: value for key, value in row.items() if key.endswith("accuracy")}
    return {key.removeprefix("validation_").replace("_", " "): value for key, value in found.items()}


def layout(processes: int, threads: int) -> str:
    """Who works on a training.

    >>> layout(2, 1), layout(1, 2)
    ('2 processes of 1 thread', '2 threads')
    """
    each = f"{threads} thread" + "s" * (threads > 1)
    return f"{processes} processes of {each}" if processes > 1 else each


def short(number: float) -> str:
    """A count for a person.

    >>> short(812), short(8120), short(41000), short(3_100_000), short(2e12)
    ('812', '8.1k', '41k', '3.1M', '2.0T')
    """
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            value = number / size
            return f"{value:.1f}{letter}" if value < 10 else f"{value:.0f}{letter}"
    return f"{number:.0f}"


def span(seconds: float) -> str:
    """A time for a person.

    >>> span(9.4), span(75), span(3700)
    ('9s', '1m15s', '1h01m')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
