"""Who writes checkpoints: one process its own, many ranks each its pieces, in the background.

The ranks copy what they hold, and train on while a thread each writes. When all have written, the first rank gives the
folder its name, so a checkpoint is whole or not there; when one could not, nothing is left and all end with that rank's
reason. Threads meet in the process group's store, not in messages, which belong to the training.
"""

import json
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import explain, remove_leftovers, sha256, sync, write_json
from hornbook.exchange.tensors import write
from hornbook.train import checkpoint
from hornbook.train.parallel import AGAIN, Ranks
from hornbook.train.sharded import INDEX, SEPARATOR, Piece, cut, describe, file_of, index, owners

SECONDS = 600.0  # until a rank that writes nothing is given up
PAUSE = 0.02  # seconds between two looks at the store

Kinds = Mapping[str, Mapping[str, Tensor]]  # "model", "optimizer" -> name -> tensor


class Saver:
    """Writes the checkpoints of one training into a folder and keeps the newest `keep`."""

    def __init__(self, folder: Path, ranks: Ranks, *, keep: int, seconds: float = SECONDS):
        self.folder, self.ranks, self.keep, self.seconds = folder, ranks, keep, seconds
        self.turn = 0
        self.thread: threading.Thread | None = None
        self.fault = ""

    def begin(self, step: int, kinds: Kinds, state: dict[str, Any]) -> None:
        """Copy what is to be saved, on disk after `wait`; all ranks come here together, the first's state counts."""
        if self.ranks.world == 1:
            snapshot = checkpoint.Snapshot(kinds["model"], kinds["optimizer"], state)
            checkpoint.save(self.folder, step, snapshot)
            checkpoint.prune(self.folder, self.keep)
            return
        self.wait()
        self.turn += 1
        aside = self.folder / f".{checkpoint.PREFIX}{step:08d}.ranks.aside"
        if self.ranks.first:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self.folder)
            aside.mkdir()
        pieces = self._own({f"{kind}{SEPARATOR}{name}": t for kind, all_ in kinds.items() for name, t in all_.items()})
        self.thread = threading.Thread(target=self._write, args=(aside, step, pieces, state), daemon=True)
        self.thread.start()

    def wait(self) -> None:
        """Go on when the checkpoint that was begun is on disk."""
        if self.thread is not None:
            self.thread.join()
            self.thread = None
        if self.fault:
            raise UserError(self.fault)

    def _own(self, tensors: Mapping[str, Tensor]) -> dict[str, Piece]:
        """Copies of the pieces that this rank writes."""
        pieces = cut(tensors)
        here = [(name, piece.offsets, piece.tensor.nbytes) for name, piece in pieces.items()]
        held: list[Any] = [None] * self.ranks.world
        dist.all_gather_object(held, here)
        who, found = owners(held), dict[str, Piece]()
        for name, piece in sorted(pieces.items()):
            if who[name, piece.offsets] == self.ranks.rank:
                copy = piece.tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
                found[name] = Piece(copy, piece.shape, piece.offsets)
        return found

    def _write(self, aside: Path, step: int, pieces: dict[str, Piece], state: dict[str, Any]) -> None:
        """A thread's work: this rank's file, then the first rank's last word."""
        self._tell(f"rank {self.ranks.rank}", self._write_part(aside, pieces))
        if self.ranks.first:
            fault = self._finish(aside, step, state)
            shutil.rmtree(aside, ignore_errors=True)
            self._tell("end", {"fault": fault})
        answer = self._hear("end", self.seconds * 1.1)
        silent = {"fault": f"rank {self.ranks.rank}: rank 0 did not end the checkpoint of step {step}; {AGAIN}"}
        self.fault = str((silent if answer is None else answer)["fault"])

    def _write_part(self, aside: Path, pieces: dict[str, Piece]) -> dict[str, Any]:
        path, rank = aside / file_of(self.ranks.rank), self.ranks.rank
        try:
            write({name: piece.tensor for name, piece in pieces.items()}, path)
            sync(path)
            return {"lines": describe(pieces, path.name), "bytes": path.stat().st_size, "sha256": sha256(path)}
        except OSError as error:
            return {"fault": f"rank {rank}: {explain(error) or error}"}
        except UserError as error:
            return {"fault": f"rank {rank}: {error}"}

    def _finish(self, aside: Path, step: int, state: dict[str, Any]) -> str:
        """The first rank: index, state and manifest of what all wrote, and the name; or what went wrong."""
        end, lines, files = time.monotonic() + self.seconds, list[dict[str, Any]](), dict[str, Any]()
        for rank in range(self.ranks.world):
            said = self._hear(f"rank {rank}", end - time.monotonic())
            if said is None:
                return f"rank {rank}: wrote nothing of step {step} in {self.seconds:g} seconds; {AGAIN}"
            if "fault" in said:
                return str(said["fault"])
            if not (aside / file_of(rank)).is_file():
                return f"rank {rank}: its files are not seen by rank 0; put the run in a folder that all machines share"
            files[file_of(rank)] = {"bytes": said["bytes"], "sha256": said["sha256"], "rank": rank}
            lines += said["lines"]
        try:
            self._name(aside, step, files, {INDEX: index(lines), "state.json": state})
        except OSError as error:
            return f"rank 0: {explain(error) or error}"
        except UserError as error:
            return str(error)
        return ""

    def _name(self, aside: Path, step: int, files: dict[str, Any], texts: dict[str, Any]) -> None:
        for name, content in texts.items():
            write_json(aside / name, content)
            files[name] = {"bytes": (aside / name).stat().st_size, "sha256": sha256(aside / name)}
        write_json(aside / "manifest.json", files)
        sync(aside)
        path = self.folder / f"{checkpoint.PREFIX}{step:08d}"
        if path.exists():  # a training that went back comes by again
            shutil.rmtree(path)
        aside.rename(path)
        sync(self.folder)
        checkpoint.prune(self.folder, self.keep)

    def _tell(self, what: str, said: dict[str, Any]) -> None:
        _store().set(f"checkpoint {self.turn} {what}", json.dumps(said))

    def _hear(self, what: str, seconds: float) -> dict[str, Any] | None:
        """What a rank said, or None if it is silent so long."""
        store, key, end = _store(), f"checkpoint {self.turn} {what}", time.monotonic() + seconds
        while not store.check([key]):  # asked, not waited for: a wait would hold the store against the training
            if time.monotonic() > end:
                return None
            time.sleep(PAUSE)
        found: dict[str, Any] = json.loads(store.get(key))
        return found


def _store() -> Any:
    return dist.distributed_c10d._get_default_store()
