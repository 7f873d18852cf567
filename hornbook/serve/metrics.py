"""What Prometheus asks for: counts and times since the server began, as text (exposition format 0.0.4).

All is counted in the event loop, so nothing is locked; what the engines say of themselves is asked when it is told.
"""

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)  # seconds
TOLD = {
    "hornbook_requests_total": "Requests answered, by route and status.",
    "hornbook_prompt_tokens_total": "Tokens of prompts.",
    "hornbook_cached_tokens_total": "Tokens of prompts that need not be read again.",
    "hornbook_new_tokens_total": "Tokens written.",
    "hornbook_cancelled_total": "Answers that ended because the client went away or the time was over.",
    "hornbook_request_seconds": "From the request to the end of its answer.",
    "hornbook_first_token_seconds": "From the request to the first token of its answer.",
}
Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Counts by name and labels."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[Labels, float]] = defaultdict(lambda: defaultdict(float))
        self.times: dict[str, dict[Labels, list[float]]] = defaultdict(dict)  # a count for each bucket, then the sum
        self.open = 0  # requests that are being answered

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """So much more of something."""
        self.counts[name][tuple(labels.items())] += by

    def time(self, name: str, seconds: float, **labels: str) -> None:
        """Something that took so long."""
        row = self.times[name].setdefault(tuple(labels.items()), [0.0] * (len(BUCKETS) + 2))
        row[bisect_left(BUCKETS, seconds)] += 1
        row[-1] += seconds

    def text(self, engines: Mapping[str, Mapping[str, float]]) -> str:
        """All of it; engines: what each says of itself, by the name of its model."""
        lines = []
        for name, rows in sorted(self.counts.items()):
            lines += [f"# HELP {name} {TOLD[name]}", f"# TYPE {name} counter"]
            lines += [f"{name}{_braced(labels)} {_number(value)}" for labels, value in sorted(rows.items())]
        for name, times in sorted(self.times.items()):
            lines += [f"# HELP {name} {TOLD[name]}", f"# TYPE {name} histogram"]
            lines += [line for labels, row in sorted(times.items()) for line in _histogram(name, labels, row)]
        names = sorted({name for stats in engines.values() for name in stats})
        for name in names:
            lines.append(f"# TYPE hornbook_engine_{name} gauge")
            for model, stats in engines.items():
                if name in stats:
                    lines.append(f"hornbook_engine_{name}{_braced((('model', model),))} {_number(stats[name])}")
        lines += ["# TYPE hornbook_open_requests gauge", f"hornbook_open_requests {self.open}"]
        lines += ["# TYPE process_resident_memory_bytes gauge", f"process_resident_memory_bytes {memory()}"]
        return "\n".join(lines) + "\n"


def _histogram(name: str, labels: Labels, row: list[float]) -> list[str]:
    lines, total = [], 0.0
    for edge, count in zip([*map(str, BUCKETS), "+Inf"], row[:-1], strict=True):
        total += count
        lines.append(f"{name}_bucket{_braced((*labels, ('le', edge)))} {_number(total)}")
    return [*lines, f"{name}_sum{_braced(labels)} {row[-1]:.6f}", f"{name}_count{_braced(labels)} {_number(total)}"]


def _braced(labels: Labels) -> str:
    """Labels as Prometheus writes them.

    >>> _braced((("model", 'a "b"'), ("le", "0.5")))
    '{model="a \\\\"b\\\\"",le="0.5"}'
    """
    escaped = [(key, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for key, value in labels]
    return "{" + ",".join(f'{key}="{value}"' for key, value in escaped) + "}" if labels else ""


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def memory() -> int:
    """Bytes of memory that this process holds now; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.is_file() else 0
