"""A table of accelerators: what they can do, and about what an hour of one costs.

Written from memory of the makers' data sheets that are named, not checked against them. Peaks are dense (without the
doubling by structured sparsity), in TFLOP/s. Prices are those of renting one by the hour on demand, in dollars; they
change weekly and differ threefold between sellers, so say your own with `--price`.
"""

import re
from dataclasses import dataclass

from hornbook.core.errors import UserError

GIB, GB = 2**30, 10**9


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """One device, and how it is wired to others."""

    name: str
    half: float  # dense peak in bf16 (fp16 where there is no bf16), TFLOP/s
    single: float  # fp32 outside the matrix units, TFLOP/s
    memory: float  # GB, of which some is never free
    bandwidth: float  # of the memory, GB/s
    link: float  # to neighbours in a node, one direction, GB/s
    network: float  # to other nodes, a device's share, one direction, GB/s
    watts: float  # of the board, at most
    price: float  # dollars an hour
    node: int = 8  # devices that share the fast link

    @property
    def usable(self) -> float:
        """Bytes a training may fill: a tenth stays for the driver, the collectives' buffers and gaps."""
        return 0.9 * self.memory * GB


# network: one 400 Gbit/s port a device (50 GB/s) from Hopper on, 200 Gbit/s (25 GB/s) for A100, as in DGX and HGX nodes
ACCELERATORS = {
    each.name: each
    for each in (
        # NVIDIA A100 data sheet (2021): SXM; NVLink 600 GB/s both ways
        Accelerator(name="a100-40", half=312, single=19.5, memory=40, bandwidth=1555, link=300, network=25, watts=400,
                    price=1.50),
        Accelerator(name="a100", half=312, single=19.5, memory=80, bandwidth=2039, link=300, network=25, watts=400,
                    price=1.50),
        # NVIDIA H100 data sheet (2022): SXM5, 1979 with sparsity; NVLink 900 GB/s both ways
        Accelerator(name="h100", half=989, single=67, memory=80, bandwidth=3350, link=450, network=50, watts=700,
                    price=2.50),
        # NVIDIA H200 data sheet (2023): an H100 with HBM3e
        Accelerator(name="h200", half=989, single=67, memory=141, bandwidth=4800, link=450, network=50, watts=700,
                    price=3.00),
        # NVIDIA HGX B200 data sheet (2024): 36 PFLOP/s for eight with sparsity; NVLink 1.8 TB/s both ways
        Accelerator(name="b200", half=2250, single=75, memory=180, bandwidth=7700, link=900, network=50, watts=1000,
                    price=5.00),
        # AMD Instinct MI300X data sheet (2023): 2615 with sparsity; Infinity Fabric 896 GB/s both ways
        Accelerator(name="mi300x", half=1307, single=163.4, memory=192, bandwidth=5300, link=448, network=50, watts=750,
                    price=2.50),
        # NVIDIA Quadro RTX 8000 data sheet (2018): fp16, no bf16; NVLink pairs of 100 GB/s both ways
        Accelerator(name="rtx8000", half=130.5, single=16.3, memory=48, bandwidth=672, link=50, network=12.5, watts=295,
                    price=0.50, node=2),
    )
}  # fmt: skip


def find(text: str) -> tuple[Accelerator, int]:
    """A device and how many: `h100x64`, `a100`.

    >>> device, count = find("h100x64")
    >>> device.half, count
    (989, 64)
    """
    plain = text.lower().strip()
    device, count = plain, "1"
    if plain not in ACCELERATORS and (match := re.fullmatch(r"(.+)x(\d+)", plain)):
        device, count = match.groups()
    if device not in ACCELERATORS or int(count) < 1:
        raise UserError(f"--on: {text!r} is none of {', '.join(ACCELERATORS)}; write the name x how many, as h100x64")
    return ACCELERATORS[device], int(count)
