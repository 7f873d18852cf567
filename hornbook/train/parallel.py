"""Several processes that train one model on different rows: data parallelism over gloo or NCCL.

Every process holds the whole model and reads its share of each step's rows; gradients, losses and counts are summed, so
the result is that of one process up to the order of additions. Which layout is faster depends on the machine and on who
else uses it (docs/log.md). `torchrun` and `hornbook train --processes N` meet here: both set RANK and
WORLD_SIZE; the second starts the other processes with a command of its own.
"""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.core.machine import physical_cores
from hornbook.data.batches import Batch
from hornbook.objective.batch import Loss, Objective
from hornbook.optim.groups import clip

STOPPED = (-signal.SIGTERM, 128 + signal.SIGTERM, 128 + signal.SIGINT)  # ends that somebody asked for
GRACE = 3.0  # seconds
PREPARED = timedelta(days=3)  # in which the first process makes corpus and tokens; a standstill later is heartbeat.py's
OTHERS: list[subprocess.Popen[bytes]] = []  # that this process has started
AGAIN = "the same command goes on from the last checkpoint"


@dataclass(frozen=True)
class Work:
    """What a pass forwards and backwards needs besides its rows."""

    objective: Objective
    model: nn.Module
    context: Callable[[], AbstractContextManager[object]] = nullcontext  # around the forward pass
    scale: float = 1.0  # of the gradients

    def backward(self, batch: Batch) -> Loss:
        """Add the gradients of the summed loss of some rows to those there are."""
        with self.context():
            loss = self.objective(self.model, batch)
        (loss.sum * self.scale).backward()  # type: ignore[no-untyped-call]  # torch's
        return loss


@dataclass(frozen=True)
class Ranks:
    """This process among its equals."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and speaks to the user."""
        return self.rank == 0

    def share(self, first_row: int, rows: int) -> range:
        """The rows of a step that are read here.

        >>> Ranks(1, 2).share(10, 5)
        range(12, 15)
        """
        return range(first_row + rows * self.rank // self.world, first_row + rows * (self.rank + 1) // self.world)

    def agree(self, said: str) -> None:
        """All say the same, or the first that says something else than process 0 is named."""
        if self.world == 1:
            return
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        own = torch.tensor(list(hashlib.sha256(said.encode()).digest()), dtype=torch.uint8, device=device)
        all_said = [torch.empty_like(own) for _ in range(self.world)]
        dist.all_gather(all_said, own)
        for rank, each in enumerate(all_said):
            if not torch.equal(each, all_said[0]):
                raise UserError(
                    f"process {rank}: its recipe or its version is not that of process 0; "
                    "start all with the same recipe, options, hornbook and torch"
                )

    def sum(self, *numbers: float) -> list[float]:
        """Each number summed over all processes, in double precision."""
        if self.world == 1:
            return list(numbers)
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        total = torch.tensor(numbers, dtype=torch.float64, device=device)
        dist.all_reduce(total)
        return [float(number) for number in total]

    @torch.no_grad()
    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up every parameter's gradient over all processes, in one message."""
        if self.world == 1:
            return
        owners = [parameter for parameter in parameters if parameter.requires_grad]
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in owners]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        pieces: tuple[Tensor, ...] = torch.split(flat, [gradient.numel() for gradient in gradients])
        for parameter, piece in zip(owners, pieces, strict=True):
            parameter.grad = piece.view_as(parameter)

    @property
    def noise(self) -> int:
        """What dropout is drawn from besides seed and step."""
        return self.rank

    def level(self, batches: list[Batch], spare: Callable[[], Batch]) -> list[Batch]:  # noqa: ARG002 -- see layout.py
        """The batches of this process; nobody here waits for it until the step's end."""
        return batches

    def add_up(self, *numbers: float) -> list[float]:
        """Each number summed over the tokens that all processes saw."""
        return self.sum(*numbers)

    def backward(self, work: Work, batches: list[Batch]) -> Iterator[Loss]:
        """Gradients of the summed loss, micro-batch by micro-batch."""
        return map(work.backward, batches)

    def clip(self, parameters: Iterable[nn.Parameter], limit: float | None, *, scale: float = 1.0) -> float:
        """Multiply all gradients by `scale`, then shorten them to a norm of `limit`; the norm in between."""
        return float(clip(parameters, limit, scale=scale))

    def rest(self, model: nn.Module) -> None:
        """After a look at held-out rows."""

    def assemble(self, model: nn.Module) -> None:
        """After the training: the model is whole."""

    def wait(self) -> None:
        """Go on when everybody is here."""
        if self.world > 1:
            dist.barrier()


def processes_here(wish: int | str) -> int:
    """How many processes train on this machine: two on a CPU, whose threads then wait for nobody; one for each GPU."""
    if wish != "auto":
        return int(wish)
    return torch.cuda.device_count() or min(2, physical_cores())


def is_first() -> bool:
    """Whether this process prepares, writes and speaks: it is alone, or the first of those that were started."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def ranks(processes: int, command: Sequence[str]) -> Iterator[Ranks]:
    """Join the processes of this training; where nobody started the others, they run `hornbook` with `command`."""
    if "RANK" in os.environ:
        yield from _joined()
    elif processes == 1:
        yield Ranks()
    else:
        yield from _started(processes, command)


def _joined() -> Iterator[Ranks]:
    """A process that torchrun, or `_started` in another process, has begun."""
    try:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PREPARED)
    except dist.DistNetworkError as error:
        port = os.environ.get("MASTER_PORT")
        raise UserError(
            f"process {os.environ['RANK']}: port {port} cannot be had ({str(error).splitlines()[0]}); "
            "set MASTER_PORT, or torchrun's --master-port, to one that is free"
        ) from None
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    except RuntimeError as error:
        if "gloo" not in str(error):
            raise
        raise UserError(f"process {os.environ['RANK']}: lost the others ({_reason(error)}); {AGAIN}") from None
    finally:
        dist.destroy_process_group()


def _started(processes: int, command: Sequence[str]) -> Iterator[Ranks]:
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(processes)}
    others = [
        subprocess.Popen([sys.executable, "-m", "hornbook", *command], env={**os.environ, **place, "RANK": str(rank)})
        for rank in range(1, processes)
    ]
    OTHERS.extend(others)
    watch = threading.Thread(target=_end_with, args=(others,), daemon=True)
    watch.start()
    os.environ.update(place, RANK="0")
    try:
        yield from _joined()
    except BaseException:
        for other in others:
            other.terminate()
        raise
    finally:
        for name in (*place, "RANK"):
            os.environ.pop(name, None)
        for other in others:
            other.wait()
        OTHERS.clear()


def _end_with(others: list[subprocess.Popen[bytes]]) -> None:
    """End this process when another one fails: alone it would wait for it in a collective, deaf to everything."""
    while any(other.poll() is None for other in others):
        time.sleep(0.2)
        for rank, other in enumerate(others, 1):
            if other.poll() not in (None, 0, *STOPPED):
                time.sleep(GRACE)  # where this process met the same fault, it says so itself and is gone by then
                print(f"error: process {rank} ended with {other.returncode}; {AGAIN}", file=sys.stderr)
                leave(2)


def leave(code: int) -> None:
    """End at once, deaf as the main thread may be, and with it the processes that this one started.

    What is on disk is whole: checkpoints are atomic.
    """
    for other in OTHERS:
        other.kill()  # one that was stopped hears nothing else
    os._exit(code)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0].rpartition("] ")[2].partition(". ")[0]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
