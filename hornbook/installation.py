"""What is wrong with an installation: packages that are missing or of another version, kernels that cannot be made."""

import importlib.metadata
import os
import re
from collections.abc import Callable, Iterable

from hornbook.core.machine import physical_cores


def faults(
    wanted: Iterable[str] | None = None, version: Callable[[str], str] = importlib.metadata.version
) -> list[str]:
    """A sentence for each thing that is not as it should be; `wanted` are lines such as "torch==2.13.0".

    >>> faults(["torch==2.13.0", "rich"], {"torch": "2.12.0+cpu", "rich": "1"}.__getitem__)
    ['torch is 2.12.0+cpu and 2.13.0 is wanted: pip install torch==2.13.0']
    """
    found = []
    for line in importlib.metadata.requires("hornbook") or () if wanted is None else wanted:
        if "extra ==" in line:
            continue
        name, _, exact = line.partition(";")[0].strip().partition("==")
        name = re.split(r"[<>!~\\[ ]", name)[0]
        try:
            there = version(name)
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} is not installed: pip install {line.partition(';')[0].strip()}")
            continue
        if exact and there.partition("+")[0] != exact:
            found.append(f"{name} is {there} and {exact} is wanted: pip install {name}=={exact}")
    return found


def kernels() -> str:
    """Whether hornbook's own kernels in C are there, and if not, why."""
    from hornbook.model import native

    if native.there():
        return "Kernels in C: yes, compiled for this processor."
    if os.environ.get("HORNBOOK_KERNELS") == "off":
        return "Kernels in C: no, HORNBOOK_KERNELS=off is set; torch's own are taken, which are slower."
    return (
        "Kernels in C: no; they need gcc or clang (Debian: apt install gcc). torch's own are taken, which are slower."
    )


def threads() -> str:
    """How many threads torch takes, and what decides it."""
    import torch

    said = os.environ.get("OMP_NUM_THREADS")
    why = f"OMP_NUM_THREADS={said}" if said else "nobody said otherwise"
    return f"torch takes {torch.get_num_threads()} threads ({why}); training sets its own, {physical_cores()} here."


def print_installation() -> None:
    """All of it."""
    print(kernels())
    print(threads())
    wrong = faults()
    print("\n".join(wrong) if wrong else "Nothing is wrong with the installation.")
