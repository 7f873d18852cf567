"""Which stages of a run are done, and from what they were made: `stages.json`, so that nothing is done twice."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hornbook.console import span
from hornbook.core.files import read_json, write_json
from hornbook.core.run import Run


class Journal:
    """The finished stages of a run, in the order in which they were finished first."""

    def __init__(self, run: Run, note: Callable[[str], None]) -> None:
        self.path, self.note = run.folder / "stages.json", note

    def entries(self) -> dict[str, Any]:
        """{stage: {"fingerprint", "seconds", ...}}"""
        return read_json(self.path) if self.path.exists() else {}

    def fingerprint(self, stage: str) -> str | None:
        """Of what a finished stage was made; None where it is not finished."""
        found: str | None = self.entries().get(stage, {}).get("fingerprint")
        return found

    def done(self, stage: str, key: str, output: Path) -> bool:
        """Whether a stage was made from just this and its output is still there; says so."""
        done = self.fingerprint(stage) == key and output.exists()
        if done:
            self.note(f"{stage:<10} unchanged, {output}")
        return done

    def finish(self, stage: str, key: str, began: float, **more: Any) -> str:
        """Write down that a stage is done; how long it took, for a person."""
        entry = {"fingerprint": key, "seconds": round(time.monotonic() - began, 2), **more}
        write_json(self.path, {**self.entries(), stage: entry})
        return span(entry["seconds"])


def digest(*parts: Any) -> str:
    """A hash of plain data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
