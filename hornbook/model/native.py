"""The products of kernels.c, compiled for this very processor the first time they are wanted.

That takes a C compiler and a few seconds; what it makes is kept in the user's cache folder, one file for each source
and kind of processor. Where there is no compiler, or it fails, there are no such products, and quantised.py takes
torch's. HORNBOOK_KERNELS=off does without.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

SOURCE = Path(__file__).with_name("kernels.c")
FLAGS = (
    *("-O3", "-march=native", "-mprefer-vector-width=512", "-fopenmp", "-shared", "-fPIC"),
    *("-fno-math-errno", "-fno-trapping-math", "-fassociative-math", "-fno-signed-zeros"),  # sums in any order
)
KINDS = ("int8", "int4", "bf16", "fp32")
Product = Callable[[Tensor, Tensor, Tensor, int], Tensor]  # (matrix, scales, x in fp32, outputs) -> (..., outputs)


@cache
def products() -> dict[str, Product]:
    """The product of each kind of matrix; none, where they cannot be compiled."""
    library = _library()
    return {} if library is None else {kind: _product(library, kind) for kind in KINDS}


def _product(library: ctypes.CDLL, kind: str) -> Product:
    function = getattr(library, f"product_{kind}")
    pointer, long = ctypes.c_void_p, ctypes.c_long
    function.argtypes, function.restype = [pointer] * 4 + [long] * 3 + [ctypes.c_int], None

    def product(matrix: Tensor, scales: Tensor, x: Tensor, outputs: int) -> Tensor:
        x = x.contiguous()
        inputs = x.shape[-1]
        y = x.new_empty(*x.shape[:-1], outputs)
        pointers = matrix.data_ptr(), scales.data_ptr(), x.data_ptr(), y.data_ptr()
        function(*pointers, x.numel() // inputs, inputs, outputs, torch.get_num_threads())
        return y

    return product


def _library() -> ctypes.CDLL | None:
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
        command = [compiler, *FLAGS, "-o", str(made), str(SOURCE), "-lm"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        made.replace(path)


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hornbook"


def _fingerprint() -> str:
    """Of the source and of what the processor can: a home folder may be seen from several machines."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    able = next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
    return hashlib.sha256(f"{SOURCE.read_text()}{FLAGS}{platform.machine()}{able}".encode()).hexdigest()[:16]
