"""What this machine has: cores this process may use, memory, disk, a C++ compiler.

A container's limits count, not the host's figures: the affinity mask, the cgroup's share of processor time and memory.
"""

import ctypes
import math
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
CGROUP = Path("/sys/fs/cgroup")
GIB = 2**30
MALLOPT = {-3: 2**30, -1: 2**31 - 1}  # mallopt(3): M_MMAP_THRESHOLD and M_TRIM_THRESHOLD, bytes


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes of main memory."""

    total: int
    available: int


def logical_cores() -> int:
    """Hardware threads this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def physical_cores(cpus: Path = CPUS, cgroup: Path = CGROUP) -> int:
    """Cores worth a thread of their own: two hardware threads of one core share its multipliers and count once."""
    cores = _distinct_cores(cpus) or _cores_macos() or logical_cores()
    share = processor_share(cgroup)
    return cores if share is None else max(1, min(cores, math.floor(share)))


def _distinct_cores(cpus: Path) -> int:
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    found = set()
    for number in allowed:
        topology = cpus / f"cpu{number}" / "topology"
        if (topology / "core_id").is_file():
            found.add((_read(topology / "physical_package_id"), _read(topology / "core_id")))
    return len(found)


def _cores_macos() -> int:
    if shutil.which("sysctl") is None:
        return 0
    answer = subprocess.run(["sysctl", "-n", "hw.physicalcpu"], capture_output=True, text=True, check=False)
    return int(answer.stdout) if answer.stdout.strip().isdigit() else 0


def processor_share(cgroup: Path = CGROUP) -> float | None:
    """Cores' worth of time that the container may use; None: no limit."""
    if (cgroup / "cpu.max").is_file():  # version 2: "quota period" or "max period"
        quota, period = _read(cgroup / "cpu.max").split()
        return None if quota == "max" else int(quota) / int(period)
    if (cgroup / "cpu" / "cpu.cfs_quota_us").is_file():  # version 1: -1 is no limit
        quota, period = _read(cgroup / "cpu" / "cpu.cfs_quota_us"), _read(cgroup / "cpu" / "cpu.cfs_period_us")
        return None if int(quota) < 0 else int(quota) / int(period)
    return None


def memory(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = CGROUP) -> Memory:
    """Main memory, no more than the container may use."""
    if not meminfo.is_file():
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return Memory(total=total, available=total)
    fields = dict(line.split(":") for line in _read(meminfo).splitlines())
    total, available = (int(fields[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        if (cgroup / limit).is_file() and (most := _read(cgroup / limit)) != "max" and int(most) < total:
            total, available = int(most), min(available, max(0, int(most) - int(_read(cgroup / used))))
    return Memory(total=total, available=available)


def peak_memory(status: Path = Path("/proc/self/status")) -> int:
    """Bytes of memory that this process held at most. Not `ru_maxrss`: on Linux a child begins with its parent's."""
    if status.is_file():
        return next(int(line.split()[1]) * 1024 for line in _read(status).splitlines() if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts bytes


def keep_freed_memory() -> bool:
    """Have what this process frees stay with it, instead of going back to the system to be asked for again.

    A training step takes and frees the same blocks over and over. GNU's library gives large ones back at once; each
    page then comes anew, zeroed and cold: a tenth of a small model's step. Returns whether the library was told;
    another one (musl, macOS) is left as it is.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(which, size) for which, size in MALLOPT.items())


def disk_free(path: Path) -> int:
    """Bytes free where `path` is, or will be."""
    while not path.exists():
        path = path.absolute().parent
    return shutil.disk_usage(path).free


def compiler() -> str | None:
    """The C++ compiler that torch.compile would call, or None."""
    for name in (os.environ.get("CXX"), "g++", "clang++", "c++", "cl"):
        if name and (found := shutil.which(name)):
            return found
    return None


def busy_cores() -> float:
    """Cores that all programs together kept busy in the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip()
