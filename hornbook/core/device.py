"""Where a model runs and in which numbers, with the reason; and what `hornbook doctor` measures.

The choice is made by capability, not by trial: a processor without bf16 units does bf16 a hundred times slower than
fp32, and torch answers "supported" for some of them. torch is imported by the functions that need it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hornbook.core import machine
from hornbook.core.errors import UserError
from hornbook.core.machine import GIB, Memory
from hornbook.core.machine import physical_cores as physical_cores
from hornbook.core.run import processor
from hornbook.core.table import print_table

if TYPE_CHECKING:
    import torch

Precision = Literal["fp32", "bf16", "fp16"]
PRECISIONS: dict[str, Precision] = {"fp32": "fp32", "bf16": "bf16", "fp16": "fp16"}
BF16_UNITS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")  # torch.cpu.get_capabilities(), x86 and ARM
MATRIX = 1024  # rows and columns of the product measured: three of them are 12 MB, beyond every core's own cache
STREAM_BYTES = 256 * 2**20  # read once for the bandwidth: larger than any cache
MEASURE_SECONDS = 0.7  # each figure is the best of the tries that fit


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A device and the numbers of its matrix products."""

    device: str
    precision: Precision
    reason: str


def choose(device: str = "auto", precision: str = "auto") -> Choice:
    """The fastest device, and bf16 where it has units for it; a wish is kept, or refused in one sentence."""
    found, reason = _device(device)
    fastest, why = _precision(found)
    if precision == "auto":
        return Choice(device=found, precision=fastest, reason=f"{reason}; {why}")
    if precision not in PRECISIONS:
        raise UserError(f"precision: {precision!r} is not one of auto, {', '.join(PRECISIONS)}")
    return Choice(device=found, precision=PRECISIONS[precision], reason=f"{reason}; {precision} was asked for")


def _device(wish: str) -> tuple[str, str]:
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wish == "auto":
        best = next(name for name, there in present.items() if there)
        return best, "no GPU that torch can use" if best == "cpu" else f"{best} is there"
    kind = wish.partition(":")[0]
    if not present.get(kind, False):
        there = ", ".join(name for name, there in present.items() if there)
        raise UserError(f"device: {wish!r} is not on this machine; choose one of {there}")
    return wish, f"{wish} was asked for"


def _precision(device: str) -> tuple[Precision, str]:
    import torch

    if device.startswith("cuda"):
        name = torch.cuda.get_device_name(device)
        if torch.cuda.get_device_capability(device) >= (8, 0):  # Ampere; older GPUs emulate bf16
            return "bf16", f"{name} has bf16 units"
        return "fp16", f"{name} has fp16 units and none for bf16"
    if device.startswith("mps"):
        return "fp32", "fp32, for torch's mixed precision on mps is young"
    if cpu_has_bf16():
        return "bf16", "this chip has bf16 units"
    return "fp32", "this chip has no bf16 units"


def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bf16 in hardware (AVX-512 BF16, AMX, ARMv8.6)."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(unit)) for unit in BF16_UNITS)


def peak_gflops(
    threads: int, precision: Precision = "fp32", *, device: str = "cpu", seconds: float = MEASURE_SECONDS
) -> float:
    """GFLOP/s of the best square matrix product that was seen in `seconds`: what an MFU is a share of."""
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    size = MATRIX if device == "cpu" else 4 * MATRIX
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / _best(lambda: left @ right, threads, seconds, device) / 1e9


def bandwidth(threads: int, *, seconds: float = MEASURE_SECONDS) -> float:
    """GB/s at which main memory is read: the bound on decoding one token at a time."""
    import torch

    stream = torch.ones(STREAM_BYTES // 4)
    return STREAM_BYTES / _best(lambda: torch.dot(stream, stream), threads, seconds, "cpu") / 1e9


def _best(work: "Callable[[], torch.Tensor]", threads: int, seconds: float, device: str) -> float:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        work()  # the first call plans and allocates
        best, started = float("inf"), time.perf_counter()
        while best == float("inf") or time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            work()
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            best = min(best, time.perf_counter() - begun)
    finally:
        torch.set_num_threads(before)
    return best


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What `hornbook doctor` saw."""

    processor: str
    torch: str
    choice: Choice
    logical_cores: int
    threads: int  # physical cores: what training uses
    busy_cores: float
    gflops_one: float  # fp32, one thread
    gflops_all: float  # fp32, all threads
    gflops_bf16: float | None  # all threads; None: no units
    bandwidth_one: float  # GB/s
    bandwidth_all: float
    memory: Memory
    disk_free: int  # bytes, in the working folder
    compiler: str | None
    gpus: tuple[tuple[str, int], ...]  # name, bytes

    def advice(self) -> list[str]:
        """What follows from the figures, in plain sentences."""
        said = [f"Models will run on {self.choice.device} in {self.choice.precision}: {self.choice.reason}."]
        if self.gflops_bf16 is None:
            said.append("bf16: no; this chip has no bf16 units, fp32 will be used.")
        elif not self.gpus:
            said.append(
                f"bf16: yes; matrix products are {self.gflops_bf16 / self.gflops_all:.1f} times as fast as in fp32."
            )
        if self.logical_cores > self.threads:
            said.append(
                f"{self.threads} threads: {self.logical_cores} hardware threads share that many cores' multipliers."
            )
        if self.threads > 1 and self.gflops_all < 1.3 * self.gflops_one:
            said.append(
                f"{self.threads} threads give {self.gflops_all / self.gflops_one:.1f} times one thread while "
                f"{self.busy_cores:.1f} cores are busy: wait for the other programs, or train with threads=1."
            )
        if self.compiler is None:
            said.append(
                "torch.compile: no; it needs a C++ compiler (Debian: apt install g++). Training runs eager without it."
            )
        if self.memory.available < 2 * GIB:
            said.append("Less than 2 GiB of memory is free: close programs, or make micro_batch smaller.")
        if self.disk_free < GIB:
            said.append("Less than 1 GiB of disk is free: the demo needs about that for checkpoints and shards.")
        return said


def examine(folder: Path = Path(), *, seconds: float = MEASURE_SECONDS) -> Examination:
    """Look and measure: five figures of `seconds` each."""
    import torch

    threads = physical_cores()
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    properties = [torch.cuda.get_device_properties(index) for index in range(count)]
    return Examination(
        processor=processor(),
        torch=str(torch.__version__),
        choice=choose(),
        logical_cores=machine.logical_cores(),
        threads=threads,
        busy_cores=machine.busy_cores(),
        gflops_one=peak_gflops(1, seconds=seconds),
        gflops_all=peak_gflops(threads, seconds=seconds),
        gflops_bf16=peak_gflops(threads, "bf16", seconds=seconds) if cpu_has_bf16() else None,
        bandwidth_one=bandwidth(1, seconds=seconds),
        bandwidth_all=bandwidth(threads, seconds=seconds),
        memory=machine.memory(),
        disk_free=machine.disk_free(folder),
        compiler=machine.compiler(),
        gpus=tuple((gpu.name, gpu.total_memory) for gpu in properties),
    )


def print_examination(seen: Examination) -> None:
    """The figures as a table, then the advice."""
    bf16 = f"{seen.gflops_bf16:.0f} GFLOP/s" if seen.gflops_bf16 else "none: this chip has no units for it"
    rows = [
        ("processor", seen.processor),
        (
            "cores",
            f"{seen.threads} physical, {seen.logical_cores} hardware threads; {seen.busy_cores:.1f} busy just now",
        ),
        ("fp32 products", f"{seen.gflops_one:.0f} GFLOP/s on one thread, {seen.gflops_all:.0f} on {seen.threads}"),
        ("bf16 products", bf16),
        ("memory", f"{seen.memory.total / GIB:.1f} GiB, {seen.memory.available / GIB:.1f} free"),
        ("memory reads", f"{seen.bandwidth_one:.0f} GB/s on one thread, {seen.bandwidth_all:.0f} on {seen.threads}"),
        ("disk", f"{seen.disk_free / GIB:.1f} GiB free here"),
        ("torch", seen.torch),
        ("torch.compile", f"yes, with {seen.compiler}" if seen.compiler else "no C++ compiler"),
        *(("GPU", f"{name}, {size / GIB:.0f} GiB") for name, size in seen.gpus),
    ]
    print_table(("", "this machine"), rows)
    print("\n".join(seen.advice()))
