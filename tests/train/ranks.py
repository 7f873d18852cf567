"""Several ranks for a test: forked from this process, which has imported torch already, joined over gloo.

A test gives `run` a function of its own module; what every rank returns comes back by rank, a rank's exception fails
the test with its traceback.
"""

import multiprocessing
import os
import pickle
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

SECONDS = 60.0  # until a test that hangs is ended


def run(world: int, function: Callable[..., Any], *args: Any) -> list[Any]:
    """`function(*args)` on every one of `world` ranks, inside a gloo group; what they return, by rank."""
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        pipes = [fork.Pipe(duplex=False) for _ in range(world)]
        processes = [
            fork.Process(target=_work, args=(pipe[1], (rank, world, Path(folder) / "store"), function, args))
            for rank, pipe in enumerate(pipes)
        ]
        for process, (_, end) in zip(processes, pipes, strict=True):
            process.start()
            end.close()
        try:
            return _gather([pipe[0] for pipe in pipes])
        finally:
            for process in processes:
                process.kill()  # a rank that is done is gone by itself or has nothing left to do
                process.join()


def _gather(pipes: list[Connection]) -> list[Any]:
    """What each rank has to say; the first failure ends all."""
    end, found = time.monotonic() + SECONDS, dict[int, Any]()
    while len(found) < len(pipes):
        waiting = [pipe for rank, pipe in enumerate(pipes) if rank not in found]
        for pipe in multiprocessing.connection.wait(waiting, max(0.0, end - time.monotonic())):
            assert isinstance(pipe, Connection)
            rank = pipes.index(pipe)
            try:
                error, found[rank] = pickle.loads(pipe.recv_bytes())
            except EOFError:
                error = "it died without a word"
            assert error is None, f"rank {rank}: {error}"
        missing = [rank for rank in range(len(pipes)) if rank not in found]
        assert not missing or time.monotonic() < end, f"ranks {missing} did not answer within {SECONDS:.0f} s"
    return [found[rank] for rank in range(len(pipes))]


def _work(pipe: Connection, place: tuple[int, int, Path], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    rank, world, store = place
    torch.set_num_threads(1)
    os.environ.update({"RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_RANK": str(rank)})
    error, result = None, None
    try:
        dist.init_process_group(
            "gloo",
            store=dist.FileStore(str(store), world),
            rank=rank,
            world_size=world,
            timeout=timedelta(seconds=SECONDS),
        )
        result = function(*args)
        dist.barrier()
    except BaseException:
        error = traceback.format_exc()
    pipe.send_bytes(pickle.dumps((error, result)))
    pipe.close()
    if error is None:
        dist.destroy_process_group()
    os._exit(0)  # no atexit of the parent's pytest here
