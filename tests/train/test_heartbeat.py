"""A rank that is stopped is named, and nobody waits longer than they were told to."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hornbook.train.heartbeat import CODE, Heartbeat
from hornbook.train.parallel import Ranks

RANK = """
import sys, time
from pathlib import Path
from hornbook.train.heartbeat import Heartbeat
from hornbook.train.parallel import Ranks
rank, folder = int(sys.argv[1]), Path(sys.argv[2])
began = time.monotonic()
with Heartbeat(folder, Ranks(rank, 2), lambda: 5 if time.monotonic() - began > 1 else 4, seconds=3.0):
    print("ready", flush=True)
    time.sleep(60)  # a collective in which somebody is missing
"""


def test_a_stopped_rank_is_named_by_the_other(tmp_path):
    command = [sys.executable, "-c", RANK]
    waiting, stopped = (
        subprocess.Popen(
            [*command, str(rank), str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for rank in (0, 1)
    )
    try:
        assert waiting.stdout is not None
        assert stopped.stdout is not None
        assert [each.stdout.readline() for each in (waiting, stopped)] == ["ready\n"] * 2
        while not re.match(r"\d+ 5", (tmp_path / "rank-00001").read_text() if list(tmp_path.glob("*1")) else ""):
            time.sleep(0.05)
        os.kill(stopped.pid, signal.SIGSTOP)
        said = waiting.communicate(timeout=20)[1]
    finally:
        for each in (waiting, stopped):
            each.kill()
            each.communicate()
    assert waiting.returncode == CODE
    assert re.match(r"error: rank 1: not heard for \d+ seconds at step 5, all wait for it; the same command", said)


def test_who_moves_is_left_alone(tmp_path):
    with Heartbeat(tmp_path, Ranks(0, 2), lambda: time.monotonic_ns(), seconds=0.2):
        time.sleep(0.6)


@pytest.mark.parametrize("world", [1, 2])
def test_one_process_writes_no_files(tmp_path, world):
    with Heartbeat(tmp_path / "beats", Ranks(0, world), lambda: 1, seconds=5.0):
        assert (tmp_path / "beats").exists() == (world > 1)
    assert not (tmp_path / "beats").exists()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_training_in_which_one_process_stops_ends_and_says_which(tmp_path):
    """A real collective that waits: the second process is stopped in the middle of the training."""
    run, overrides = tmp_path / "run", ["pretrain.processes=2", "pretrain.steps=1000000", "pretrain.patience=6"]
    command = [sys.executable, "-m", "hornbook", "train", "tiny/pretrain", *overrides, "--run", str(run)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as first:
        try:
            while first.poll() is None and not ((run / "metrics.jsonl").exists() and _steps(run) > 5):
                time.sleep(0.1)
            children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
            (second,) = (int(each) for each in children if b"RANK=1" in Path(f"/proc/{each}/environ").read_bytes())
            os.kill(second, signal.SIGSTOP)
            said = first.communicate(timeout=60)[1]
        finally:
            first.kill()
    assert first.returncode == CODE
    assert re.search(r"^error: rank 1: not heard for \d+ seconds at step \d+, all wait for it; the same", said, re.M)
    assert _is_over(second)


def _steps(run: Path) -> int:
    return (run / "metrics.jsonl").read_text().count("\n")


def _is_over(process: int) -> bool:
    """Whether it has ended, be it that nobody has asked for its exit status yet; it is given ten seconds."""
    for _ in range(100):
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False
