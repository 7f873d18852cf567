"""Asking a model about many things, group by group, written down as it goes: a run that was killed loses one group.

Groups are always the same, so what is asked together, and with it what is answered, does not depend on interruptions.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hornbook.core.files import write_text
from hornbook.core.run import Log

T = TypeVar("T")
Row = dict[str, Any]

JOURNAL = "asked.jsonl"
GROUP = 32  # prompts that are asked side by side


def ask_all(
    items: Sequence[T], ask: Callable[[Sequence[T], int], list[Row]], journal: Path, *, progress: Callable[[int], None]
) -> Iterator[Row]:
    """What `ask` makes of every group of items (and the number of its first), those of the journal without asking."""
    log = Log(journal)
    done = _whole(journal)
    for number, first in enumerate(range(0, len(items), GROUP)):
        if number >= len(done):
            done.append({"rows": ask(items[first : first + GROUP], first)})
            log.append(done[-1])
            log.sync()
            progress(min(first + GROUP, len(items)))
        yield from done[number]["rows"]


def _whole(journal: Path) -> list[Row]:
    """The finished groups; the line that a kill cut short is cut off."""
    content = journal.read_bytes() if journal.is_file() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(journal, len(whole))
    return [json.loads(line) for line in whole.splitlines()]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Replace a file of rows."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
