"""A run folder belongs to one process at a time, and its log has every step once."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from hornbook.core.errors import UserError
from hornbook.core.run import FAR, Log, Run, environment

HOLDER = """
import sys, time
from pathlib import Path
from hornbook.core.run import Run
with Run(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_with_the_first_ones_number_and_a_kill_frees_the_folder(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"process {holder.pid} is using this run"), Run(tmp_path).lock():
            pass
    finally:
        holder.kill()
        holder.communicate()
    with Run(tmp_path).lock():
        pass


def test_windows_locks_a_byte_that_no_text_reaches(tmp_path, monkeypatch):
    """As msvcrt would: a second taker of the same byte is refused, and the holder's number can still be read."""
    taken = []

    def locking(handle, mode, size):
        assert (mode, size) == (2, 1)
        byte = os.lseek(handle, 0, os.SEEK_CUR)
        if byte in taken:
            raise PermissionError(13, "Permission denied")
        taken.append(byte)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with Run(tmp_path).lock():
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
        with pytest.raises(UserError, match=f"process {os.getpid()} is using this run"), Run(tmp_path).lock():
            pass
    assert taken == [FAR]


def test_leftovers_of_a_killed_writer_are_cleared_when_the_run_is_taken(tmp_path):
    (tmp_path / ".model.123.aside").mkdir()
    (tmp_path / ".report.html.5.aside").write_text("half")
    with Run(tmp_path).lock():
        assert {path.name for path in tmp_path.iterdir()} == {".lock"}


def test_rewinding_forgets_later_steps_and_a_line_that_was_cut(tmp_path):
    log = Log(tmp_path / "metrics.jsonl")
    for step in range(1, 6):
        log.append({"step": step, "loss": step / 2})
    with log.path.open("a") as file:
        file.write('{"step": 6, "lo')
    assert [row["step"] for row in log.rows()] == [1, 2, 3, 4, 5]
    log.rewind(3)
    log.append({"step": 4, "loss": 9.0})
    assert [(row["step"], row["loss"]) for row in log.rows()] == [(1, 0.5), (2, 1.0), (3, 1.5), (4, 9.0)]


def test_the_environment_names_the_versions_a_figure_depends_on():
    seen = environment()
    assert seen["packages"]["torch"].startswith("2.13.0")
    assert seen["python"] == ".".join(map(str, sys.version_info[:3]))
    assert seen["cores"] >= 1
