"""The machine as a container sees it: made-up /sys and /proc trees with known answers, and this machine's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hornbook.core import machine


def cpus(folder: Path, siblings: dict[int, tuple[int, int]]) -> Path:
    """A /sys/devices/system/cpu with cpu number -> (package, core)."""
    for number, (package, core) in siblings.items():
        topology = folder / f"cpu{number}" / "topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text(f"{package}\n")
        (topology / "core_id").write_text(f"{core}\n")
    return folder


@pytest.mark.parametrize(
    ("allowed", "limit", "expected"),
    [
        ({0, 1, 2, 3}, "max 100000", 2),  # two hardware threads a core
        ({0, 1, 2, 3, 4, 5}, "max 100000", 3),  # core 0 of the second package is another core
        ({0, 2}, "max 100000", 1),
        ({0, 1, 2, 3, 4, 5}, "150000 100000", 1),
        ({0, 1, 2, 3, 4, 5}, "50000 100000", 1),
        ({0, 1, 2, 3, 4, 5}, "200000 100000", 2),
    ],
)
def test_physical_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: set[int], limit: str, expected: int
) -> None:
    tree = cpus(tmp_path / "cpu", {0: (0, 0), 1: (0, 1), 2: (0, 0), 3: (0, 1), 4: (1, 0), 5: (1, 0)})
    (tmp_path / "cpu.max").write_text(limit + "\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: allowed)
    assert machine.physical_cores(tree, tmp_path) == expected


def test_without_a_topology_every_logical_core_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2})
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    assert machine.physical_cores(tmp_path, tmp_path) == 3


def test_the_first_version_of_cgroups(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1")
    assert machine.processor_share(tmp_path) is None
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("250000")
    assert machine.processor_share(tmp_path) == 2.5


def test_memory_is_the_containers_where_that_is_less(tmp_path: Path) -> None:
    info = tmp_path / "meminfo"
    info.write_text("MemTotal:       8000 kB\nMemFree:  1000 kB\nMemAvailable:   6000 kB\n")
    assert machine.memory(info, tmp_path) == machine.Memory(total=8000 * 1024, available=6000 * 1024)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.memory(info, tmp_path).total == 8000 * 1024
    (tmp_path / "memory.max").write_text(f"{4000 * 1024}\n")
    (tmp_path / "memory.current").write_text(f"{1000 * 1024}\n")
    assert machine.memory(info, tmp_path) == machine.Memory(total=4000 * 1024, available=3000 * 1024)


def test_disk_space_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    here, later = machine.disk_free(tmp_path), machine.disk_free(tmp_path / "runs" / "demo")
    assert later == pytest.approx(here, rel=0.1)
    assert here > 0


def test_the_compiler_is_the_one_in_the_environment_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine", "g++"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert machine.compiler() == str(tmp_path / "g++")
    monkeypatch.setenv("CXX", "mine")
    assert machine.compiler() == str(tmp_path / "mine")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert machine.compiler() is None


def test_this_machine_makes_sense() -> None:
    assert 1 <= machine.physical_cores() <= machine.logical_cores()
    seen = machine.memory()
    assert 0 < seen.available <= seen.total


def test_the_most_memory_a_process_held(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t    7 kB\n")
    assert machine.peak_memory(tmp_path / "status") == 7 * 1024
    assert machine.peak_memory() > 2**20


def test_what_is_freed_stays_with_the_process(tmp_path):
    """Blocks of 4 MB that are taken, filled and freed again: once they are there, no page is asked for any more."""
    if not sys.platform.startswith("linux"):
        pytest.skip("GNU's library only")
    faults = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True).stdout.split()
    before, told, after = int(faults[0]), faults[1], int(faults[2])
    if told == "False":
        pytest.skip("another C library")
    assert before > 20_000
    assert after < before / 10


FAULTS = """
import ctypes, resource
from hornbook.core.machine import keep_freed_memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
def faults():
    began = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        block = libc.malloc(40 * 2**20)
        libc.memset(block, 1, 40 * 2**20)
        libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - began
print(faults(), keep_freed_memory(), (faults(), faults())[1])
"""
