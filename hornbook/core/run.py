"""A run is a folder: the resolved recipe, the environment, metrics, checkpoints, samples, the report and the model.

This file knows the names in that folder, keeps two processes from writing to it at once, and appends metrics so that a
run which was killed and resumed has every step exactly once.
"""

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.files import remove_leftovers, sync, write_json, write_text

Row = dict[str, Any]

FAR = 1 << 30  # bytes into the lock file, past anything that is written there


class Run:
    """The names inside a run folder (units: none, all paths)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recipe = folder / "recipe.yaml"
        self.environment = folder / "environment.json"
        self.corpus = folder / "corpus"
        self.tokenizer = folder / "tokenizer"
        self.shards = folder / "shards"
        self.metrics = folder / "metrics.jsonl"
        self.samples = folder / "samples.jsonl"
        self.events = folder / "events.jsonl"
        self.checkpoints = folder / "checkpoints"
        self.model = folder / "model"
        self.evaluation = folder / "evaluate.json"
        self.scores = folder / "scores.json"
        self.rows = folder / "rows.jsonl"
        self.report = folder / "report.html"

    def stage(self, name: str) -> "Run":
        """The folder of a later stage, with the same layout; `scores` and `rows` are what it came to or made."""
        return Run(self.folder / name)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run folder for this process; a second one is refused with the holder's process id."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a+") as file:
            try:
                _lock(file.fileno())
            except (BlockingIOError, PermissionError):
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise UserError(
                    f"{self.folder}: process {holder} is using this run; wait for it, stop it, or choose another --run"
                ) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            remove_leftovers(self.folder)
            yield

    def describe(self, recipe: str, environment: Row) -> None:
        """Write the resolved recipe and where it runs."""
        write_text(self.recipe, recipe)
        write_json(self.environment, environment)


def _lock(handle: int) -> None:
    """Take an open file for this process, or raise an OSError at once; the system frees it when the process ends."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, FAR, os.SEEK_SET)  # Windows locks bytes, and a locked byte cannot be read: take one far away
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Log:
    """A JSONL file of rows, appended to and flushed; reading forgives a line cut by a kill."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *rows: Row) -> None:
        """Add rows; they are in the operating system's hands when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def rows(self) -> list[Row]:
        """Every whole row."""
        found = []
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    found.append(json.loads(line))
                except json.JSONDecodeError:
                    continue  # the line a kill cut short
        return found

    def rewind(self, step: int) -> None:
        """Forget rows after a step, which will be written again, and a last line that was cut."""
        if self.path.exists():
            kept = [row for row in self.rows() if row.get("step", 0) <= step]
            write_text(self.path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))

    def sync(self) -> None:
        """Ask the disk to keep what was written so far."""
        if self.path.exists():
            sync(self.path)


def environment() -> Row:
    """What a figure depends on beside the recipe: versions and the machine."""
    packages = ("hornbook", "torch", "numpy", "safetensors", "tokenizers", "tiktoken", "pyarrow")
    versions = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # run from a checkout that was never installed
            versions[name] = "not installed"
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "packages": versions,
        "command": " ".join(sys.argv),
    }


def processor() -> str:
    """The processor's name as its maker gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
