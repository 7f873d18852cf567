"""The kernels in C (kernels.c names the files), compiled for this very processor the first time they are wanted.

That takes a C compiler and a few seconds; what it makes is kept in the user's cache folder, one file for each source
and kind of processor. Where there is no compiler, or it fails, there are no kernels, and torch's are taken.
HORNBOOK_KERNELS=off does without.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

FOLDER = Path(__file__).parent
SOURCES = tuple(
    FOLDER / f"{name}.c" for name in ("kernels", "products", "lanes", "tape", "loss", "attention")
)  # the first includes the others
OWN = ("-march=native", "-mprefer-vector-width=512") if platform.machine() in ("x86_64", "AMD64") else ("-mcpu=native",)
FLAGS = (
    *("-O3", *OWN, "-fopenmp", "-shared", "-fPIC"),
    *("-fno-math-errno", "-fno-trapping-math"),
)
KINDS = ("fp32", "bf16", "int8", "int4")  # of matrices, in the order of products.c
FEW = 16  # vectors, of which torch's product of one takes twice as long as the kernel's, and that of 24 as long
Product = Callable[[Tensor, Tensor, Tensor, int], Tensor]  # (matrix, scales, x in fp32, outputs) -> (..., outputs)
Fields = list[tuple[str, type]]


class Step(ctypes.Structure):
    """One step of a tape; what the fields say is in tape.c."""

    _fields_: ClassVar[Fields] = [
        *((name, ctypes.c_int32) for name in ("what", "kind", "inputs", "outputs", "width", "limit")),
        *((name, ctypes.c_float) for name in ("number", "bound")),
        *((name, ctypes.c_int64) for name in ("from", "other", "to")),
        *((name, ctypes.c_void_p) for name in ("matrix", "scales", "bias")),
    ]


class Cache(ctypes.Structure):
    """Where an attention remembers."""

    _fields_: ClassVar[Fields] = [
        *((name, ctypes.c_void_p) for name in ("keys", "values")),
        *((name, ctypes.c_int64) for name in ("row", "head")),
    ]


class Call(ctypes.Structure):
    """What one token of a tape needs to know."""

    _fields_: ClassVar[Fields] = [
        ("work", ctypes.c_void_p),
        ("caches", ctypes.POINTER(Cache)),
        ("turns", ctypes.POINTER(ctypes.c_void_p)),
        ("first", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("rows", "turned", "column")),
        ("threads", ctypes.c_int32),
    ]


def there() -> bool:
    """Whether there are kernels."""
    return library() is not None


def few(x: Tensor, weight: Tensor) -> Tensor | None:
    """x W^T where the kernel's is the faster product: few vectors, fp32, nothing to learn; None: it is not."""
    if x.numel() > FEW * x.shape[-1] or torch.is_grad_enabled() or torch.compiler.is_compiling():
        return None
    if type(weight) not in (Tensor, torch.nn.Parameter):
        return None  # shared by ranks
    fits = x.device.type == weight.device.type == "cpu" and x.dtype == weight.dtype == torch.float32
    return _product(0, weight, weight, x, len(weight)) if fits and weight.is_contiguous() and there() else None


def play(steps: Sequence[Step], call: Call) -> None:
    """Go through the steps of a tape."""
    found = library()
    assert found is not None
    found.play(steps, ctypes.c_long(len(steps)), ctypes.byref(call))


@cache
def products() -> dict[str, Product]:
    """The product of each kind of matrix; none, where they cannot be compiled."""
    return {kind: partial(_product, number) for number, kind in enumerate(KINDS)} if there() else {}


def _product(kind: int, matrix: Tensor, scales: Tensor, x: Tensor, outputs: int) -> Tensor:
    x = x.contiguous()
    inputs = x.shape[-1]
    y = x.new_empty(*x.shape[:-1], outputs)
    shape = (ctypes.c_long * 3)(x.numel() // inputs, inputs, outputs)
    pointers = (ctypes.c_void_p(each.data_ptr()) for each in (matrix, scales, x, y))
    found = library()
    assert found is not None
    found.multiply(kind, *pointers, shape, torch.get_num_threads())
    return y


def cross_entropy(logits: Tensor, labels: Tensor, *, wanted: float, spread: float) -> tuple[Tensor, Tensor] | None:
    """The summed loss of rows of logits in bf16, and its gradient by them; None where there is no kernel for it.

    logits (rows, vocab), labels (rows,): -wanted * log p(label) - spread * (log p of all), summed over the rows.
    """
    if logits.device.type != "cpu" or logits.dtype != torch.bfloat16 or not there():
        return None
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < logits.shape[1]:
        return None  # torch says what is wrong
    logits, labels = logits.contiguous(), labels.contiguous()
    gradients, losses = torch.empty_like(logits), torch.empty(len(logits))
    pointers = [ctypes.c_void_p(each.data_ptr()) for each in (logits, gradients, labels, losses)]
    shape, parts = (ctypes.c_long * 2)(*logits.shape), (ctypes.c_float * 2)(wanted, spread)
    found = library()
    assert found is not None
    found.cross_entropy(*pointers, shape, parts, torch.get_num_threads())
    return losses.sum(), gradients


def call(name: str, how: ctypes.Structure, *tensors: Tensor) -> None:
    """A kernel of the form name(how, numbers, numbers, ...)."""
    found = library()
    assert found is not None
    getattr(found, name)(ctypes.byref(how), *(ctypes.c_void_p(each.data_ptr()) for each in tensors))


@cache
def library() -> ctypes.CDLL | None:
    """The kernels, compiled if they are not yet; None where that cannot be."""
    if os.environ.get("HORNBOOK_KERNELS") == "off":
        return None
    compiler = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    try:
        path = _folder() / f"kernels-{_fingerprint()}.so"
        if not path.is_file():
            if compiler is None:
                return None
            _compile(compiler, path)
        return ctypes.CDLL(str(path))
    except (OSError, subprocess.SubprocessError):
        return None


def _compile(compiler: str, path: Path) -> None:
    """Under another name first: two processes may want it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        command = [compiler, *FLAGS, "-o", str(made), str(SOURCES[0]), "-lm"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        made.replace(path)


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hornbook"


def _fingerprint() -> str:
    """Of the source and of what the processor can: a home folder may be seen from several machines."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    able = next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
    text = "".join(source.read_text() for source in SOURCES)
    return hashlib.sha256(f"{text}{FLAGS}{platform.machine()}{able}".encode()).hexdigest()[:16]
