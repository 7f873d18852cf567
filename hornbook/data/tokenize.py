"""Corpus Parquet to token shards: streaming, in parallel, the same bytes whatever the number of processes.

A task is one row group of one file; workers read and encode it, this process writes the results in order. Memory is a
few row groups a worker.
"""

import hashlib
import multiprocessing
import os
import struct
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, write_json
from hornbook.data.shards import SPLITS, VERSION, Shards, load
from hornbook.text.tokenizer import Tokenizer

Progress = Callable[[int, int], None]
"""Called with (documents written, documents in all)."""

WORTH_A_POOL = 10_000_000  # bytes of compressed text; below it starting processes costs more than they save


@dataclass(frozen=True)
class Task:
    """One row group of a corpus file."""

    path: Path
    group: int


@dataclass(frozen=True)
class Encoded:
    """A task's result: ids of its documents, end ids included, and a row of sizes for each."""

    ids: NDArray[Any]
    sizes: NDArray[np.int64]
    """(documents, 3): tokens, bytes of the name, bytes of the text."""
    names: bytes
    characters: int


def write(
    corpus: Path,
    folder: Path,
    tokenizer: Tokenizer,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Shards:
    """Encode `{train,validation}-*.parquet` (columns id and text) of `corpus` into a new folder.

    `processes=None` takes as many as there are cores where the corpus is worth it; 1 encodes in this process.
    """
    tasks = {split: _tasks(corpus, split) for split in SPLITS}
    if not tasks["train"]:
        raise UserError(f"{corpus}: no train-*.parquet in it; make the corpus first")
    total = sum(pq.read_metadata(path).num_rows for path in corpus.glob("*.parquet"))
    if processes is None:
        size = sum(path.stat().st_size for path in corpus.glob("*.parquet"))
        processes = (os.cpu_count() or 1) if size > WORTH_A_POOL else 1
    with new_folder(folder) as aside:
        splits: dict[str, Any] = {}
        done = 0
        for split, todo in tasks.items():
            with _SplitWriter(aside, split) as writer:
                for encoded in _encode_all(todo, tokenizer, processes):
                    writer.add(encoded)
                    done += len(encoded.sizes)
                    if progress:
                        progress(done, total)
            splits[split] = writer.entry()
        write_json(aside / "manifest.json", _manifest(tokenizer, splits))
    return load(folder)


def _tasks(corpus: Path, split: str) -> list[Task]:
    paths = sorted(corpus.glob(f"{split}-*.parquet"))
    return [Task(path, group) for path in paths for group in range(pq.read_metadata(path).num_row_groups)]


def _manifest(tokenizer: Tokenizer, splits: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "dtype": _dtype(tokenizer.vocab),
        "vocab": tokenizer.vocab,
        "end": tokenizer.end,
        "tokenizer": tokenizer.fingerprint,
        "splits": splits,
    }


def _dtype(vocab: int) -> str:
    return "uint16" if vocab <= 1 << 16 else "uint32"


def _encode_all(tasks: list[Task], tokenizer: Tokenizer, processes: int) -> Iterator[Encoded]:
    """Results in the order of the tasks, at most two a process waiting."""
    if processes <= 1 or len(tasks) <= 1:
        yield from (encode(task, tokenizer) for task in tasks)
        return
    # spawn: a fork of a process that runs threads (torch, tokenizers) may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(processes, len(tasks)), mp_context=context, initializer=_set_tokenizer, initargs=(tokenizer,)
    ) as pool:
        waiting: deque[Future[Encoded]] = deque()
        for task in tasks:
            waiting.append(pool.submit(_encode_in_worker, task))
            if len(waiting) >= 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_worker: dict[str, Tokenizer] = {}  # a worker process's tokenizer, sent once instead of with every task


def _set_tokenizer(tokenizer: Tokenizer) -> None:
    _worker["tokenizer"] = tokenizer


def _encode_in_worker(task: Task) -> Encoded:
    return encode(task, _worker["tokenizer"])


def encode(task: Task, tokenizer: Tokenizer) -> Encoded:
    """Read a row group and encode its texts."""
    with pq.ParquetFile(task.path) as file:
        table = file.read_row_group(task.group, columns=["id", "text"])
    texts: list[str] = table.column("text").to_pylist()
    names = [name.encode(errors="surrogateescape") for name in table.column("id").to_pylist()]
    lists = tokenizer.encode_batch(texts)
    sizes = np.array(
        [(len(ids) + 1, len(name), _bytes(text)) for ids, name, text in zip(lists, names, texts, strict=True)],
        dtype=np.int64,
    ).reshape(-1, 3)
    flat = np.full(int(sizes[:, 0].sum()), tokenizer.end, dtype=_dtype(tokenizer.vocab))
    code, start = flat.dtype.char, 0
    for ids in lists:  # struct reads a list in two thirds of numpy's time
        struct.pack_into(f"{len(ids)}{code}", flat.data, start * flat.itemsize, *ids)
        start += len(ids) + 1
    return Encoded(flat, sizes, b"".join(names), sum(map(len, texts)))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


class _SplitWriter:
    """Appends encoded tasks to a split's three files."""

    def __init__(self, folder: Path, split: str) -> None:
        self.paths = [folder / f"{split}.{kind}" for kind in ("ids", "documents", "names")]
        self.files: list[BinaryIO] = []
        self.digests = [hashlib.sha256() for _ in self.paths]
        self.position = np.zeros(3, dtype=np.int64)
        self.documents = 0
        self.characters = 0

    def __enter__(self) -> "_SplitWriter":
        self.files = [path.open("wb") for path in self.paths]
        self._append(1, self.position)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.files:
            file.close()

    def add(self, encoded: Encoded) -> None:
        """Append one task's result."""
        ends = self.position + np.cumsum(encoded.sizes, axis=0)
        self._append(0, encoded.ids)
        self._append(1, ends)
        self._append(2, np.frombuffer(encoded.names, dtype=np.uint8))
        self.position = ends[-1] if len(ends) else self.position
        self.documents += len(encoded.sizes)
        self.characters += encoded.characters

    def entry(self) -> dict[str, Any]:
        """The split's part of the manifest."""
        files = [
            {"name": path.name, "bytes": path.stat().st_size, "sha256": digest.hexdigest()}
            for path, digest in zip(self.paths, self.digests, strict=True)
        ]
        return {
            "tokens": int(self.position[0]),
            "documents": self.documents,
            "bytes": int(self.position[2]),
            "characters": self.characters,
            "files": files,
        }

    def _append(self, which: int, array: NDArray[Any]) -> None:
        data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data
        self.digests[which].update(data)
        self.files[which].write(data)
