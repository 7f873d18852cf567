"""Real children that misbehave: each has one clear outcome, in bounded time, and leaves nothing behind."""

import gzip
import json
import os
import time
from pathlib import Path

import pytest

from hornbook.evaluate.sandbox import Limits, Program, Verdict, run, run_all

TESTS = "assert f() == 1, 'f() is not 1'"
QUICK = Limits(seconds=3)
BAD = {
    "right": ("def f(): return 1", "passed"),
    "wrong": ("def f(): return 2", "failed: f() is not 1"),
    "raises": ("def f(): return [][1]", "error: IndexError: list index out of range"),
    "syntax": ("def f(:", "error: SyntaxError: invalid syntax (<program>, line 1)"),
    "recursion": ("def f(): return f()", "error: RecursionError: maximum recursion depth exceeded"),
    "fork bomb": ("import os\nwhile True: os.fork()", "forbidden: os.fork"),
    "fork, swallowed": ("import os\ntry: os.fork()\nexcept BaseException: pass", "forbidden: os.fork"),
    "shell": ("import os\ndef f(): os.system('true')", "forbidden: os.system"),
    "process": ("import subprocess\ndef f(): subprocess.run(['true'])", "forbidden: subprocess.Popen"),
    "memory": ("x = []\nwhile True: x.append(bytearray(1 << 24))", "memory"),
    "writing": ("def f(): open('/tmp/x', 'w')", "forbidden: writing '/tmp/x'"),
    "reading": ("def f(): return open('/etc/passwd').read()", "forbidden: reading '/etc/passwd'"),
    "socket": ("import socket\ndef f(): socket.socket()", "forbidden: socket.__new__"),
    "deleting": ("import os\ndef f(): os.remove('/etc/passwd')", "forbidden: os.remove"),
    "deleting all": ("import shutil\ndef f(): shutil.rmtree('/')", "forbidden: shutil.rmtree"),
    "killing": ("import os\ndef f(): os.kill(-1, 9)", "forbidden: os.kill"),
    "C": ("import ctypes\ndef f(): return 1", "forbidden: ctypes.dlopen"),
    "leaves before": ("import sys\nsys.exit(0)", "error: SystemExit: 0"),
    "leaves at once": ("import os\nos._exit(0)", "error: it ended before its tests did"),
    "leaves in its tests": ("import os\ndef f(): os._exit(0)", "error: it ended before its tests did"),
    "claims": (
        "import os\nfor n in range(3, 32):\n  try: os.write(n, b'{\"came\": \"passed\", \"said\": \"\"}\\n')\n"
        "  except OSError: pass\nos._exit(0)",
        "error: it answers in the place of its tests",
    ),
    "reads its checker": ("import sys\nread = sys.stdin.read()\ndef f(): return len(read)", "failed: f() is not 1"),
    "threads": (
        "import threading, time\ndef f():\n  threading.Thread(target=time.sleep, args=(99,)).start()\n  return 1",
        "passed",
    ),
    "never ends": ("while True: pass", "timeout: 3 s"),
    "sleeps": ("import time\ndef f(): time.sleep(99)", "timeout: 3 s"),
    "prints": ("while True: print('x' * 1000000)", "timeout: 3 s"),
}  # fmt: skip
RAW = """
import _posixsubprocess, os
def f():
    ends = os.pipe()
    return _posixsubprocess.fork_exec([b'/bin/true'], [b'/bin/true'], True, (ends[1],), None, None, -1, -1, -1, -1, -1,
        -1, ends[0], ends[1], False, False, -1, None, None, None, -1, None, False)
"""


def children() -> list[str]:
    """The processes that this one has, as the kernel lists them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            said = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if said[1] == str(os.getpid()) and said[0] != "Z":
            found.append(path.parent.name)
    return found


@pytest.mark.parametrize("name", BAD)
def test_every_misdeed_has_one_outcome_and_an_end(name: str) -> None:
    program, came = BAD[name]
    before, began = set(children()), time.monotonic()
    verdict = run(Program(program, TESTS), QUICK)
    assert str(verdict) == came, verdict
    assert time.monotonic() - began < QUICK.seconds + 3
    assert verdict.passed == (came == "passed")
    assert set(children()) <= before


def test_the_kernel_refuses_what_python_does_not_tell_of() -> None:
    verdict = run(Program(RAW, TESTS), QUICK)
    if "seccomp" not in verdict.guards:
        pytest.skip(f"held by {verdict.guards} alone")
    assert str(verdict) == "error: PermissionError: [Errno 1] Operation not permitted"


def test_programs_run_side_by_side_and_come_in_order() -> None:
    programs = [Program(f"def f(): return {number % 2}", TESTS) for number in range(6)]
    assert [each.passed for each in run_all(programs, QUICK)] == [False, True] * 3


def judged(rows: list[dict[str, str]], body: str | None) -> list[Verdict]:
    return run_all(
        [
            Program(row["prompt"] + (body or row["canonical_solution"]), f"{row['test']}\ncheck({row['entry_point']})")
            for row in rows
        ],
        Limits(seconds=30),
    )


@pytest.mark.slow
def test_all_solutions_of_humaneval_pass_and_broken_ones_do_not(shared_data: Path) -> None:
    (path,) = (shared_data / "benchmarks/humaneval").glob("HumanEval*.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert [row["task_id"] for row, each in zip(rows, judged(rows, None), strict=True) if not each.passed] == []
    assert not any(each.passed for each in judged(rows, "    return None\n"))
