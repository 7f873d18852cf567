"""The promise itself: a real process, killed with SIGKILL and started again, ends in the same bytes as one left be."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.test_build import SMALL, write_english


def command(folder: Path, files: Path) -> list[str]:
    values = [*SMALL, "pretrain.steps=40", "pretrain.save_every=6", f"corpus.source={files}"]
    return [sys.executable, "-m", "hornbook", "train", "tiny/pretrain", *values, "--run", str(folder)]


def rows(folder: Path) -> list[tuple[int, float]]:
    found = []
    path = folder / "metrics.jsonl"
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # the line a kill cut short
        if "loss" in row:
            found.append((row["step"], row["loss"]))
    return found


def kill_at(step: int, folder: Path, files: Path) -> None:
    process = subprocess.Popen(command(folder, files), stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None and not any(seen >= step for seen, _ in rows(folder)):
            time.sleep(0.002)
        assert process.poll() is None, "it was over before it could be killed"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_sigkill_at_any_moment_changes_nothing(tmp_path):
    write_english(tmp_path / "files")
    subprocess.run(command(tmp_path / "calm", tmp_path / "files"), check=True, stdout=subprocess.DEVNULL)
    for step in (1, 12, 27):  # before the first checkpoint, as one is written, between two
        kill_at(step, tmp_path / "hurt", tmp_path / "files")
    subprocess.run(command(tmp_path / "hurt", tmp_path / "files"), check=True, stdout=subprocess.DEVNULL)
    calm, hurt = (tmp_path / name / "model" / "model.safetensors" for name in ("calm", "hurt"))
    assert calm.read_bytes() == hurt.read_bytes()
    assert rows(tmp_path / "calm") == rows(tmp_path / "hurt")
    assert [step for step, _ in rows(tmp_path / "hurt")] == list(range(1, 41))


@pytest.mark.slow
def test_two_processes_lose_one_and_the_run_says_so_and_goes_on(tmp_path):
    write_english(tmp_path / "files")
    more = [*command(tmp_path / "run", tmp_path / "files"), "--processes", "2"]
    process = subprocess.Popen(more, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not rows(tmp_path / "run"):
        time.sleep(0.01)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    subprocess.run(["kill", "-9", *children], check=True)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "goes on from the last checkpoint" in errors
    assert "Traceback" not in errors
    subprocess.run(more, check=True, stdout=subprocess.DEVNULL)
    assert [step for step, _ in rows(tmp_path / "run")] == list(range(1, 41))
