"""Runs code that a model wrote, and says in one word what came of it; nothing of it stays.

A child process of its own session (jail.py) without environment and site-packages shuts itself in, then runs the
program, then its tests. What holds on Linux on x86_64: namespaces of its own (no network, no other process to be seen,
a root that has Python's files only and is read-only), a seccomp filter (no new process, no socket, no writing, no
signal to others), limits of memory, processor time, open files; besides Python's audit hook, which gives what was tried
its name. Where namespaces are not allowed the filter and the limits hold; on other systems limits and hook alone, which
stop accidents and not a program that is out to get away. `Verdict.guards` says what held.

The tests come into the process only after the program has run, so it cannot read them then; but while they call its
function they are in one process with it. A program that is written to fool this file can claim to have passed.
"""

import contextlib
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hornbook.core.errors import UserError

Came = Literal["passed", "failed", "error", "timeout", "memory", "killed", "forbidden"]
JAIL = Path(__file__).with_name("jail.py")
MOST = 1 << 16  # bytes that it may tell
WORKERS = 2


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a program may use."""

    seconds: float = 10.0
    """Of the clock; as many of the processor."""
    memory: int = 512 << 20
    """Bytes of address space."""


@dataclass(frozen=True)
class Program:
    """Code, and the tests that call it."""

    text: str
    tests: str


@dataclass(frozen=True)
class Verdict:
    """What came of a program."""

    came: Came
    said: str = ""
    """The assertion, the error, the forbidden thing."""
    guards: str = ""
    """What held it."""

    @property
    def passed(self) -> bool:
        """Whether all tests ran to their end."""
        return self.came == "passed"

    def __str__(self) -> str:
        return f"{self.came}: {self.said}" if self.said else self.came


def run_all(
    programs: Sequence[Program], limits: Limits | None = None, *, told: Callable[[int], object] = lambda _: None
) -> list[Verdict]:
    """A verdict on each, two at a time."""
    found = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for verdict in pool.map(lambda each: run(each, limits), programs):
            found.append(verdict)
            told(len(found))
    return found


def run(program: Program, limits: Limits | None = None) -> Verdict:
    """One program; returns at most a moment after `limits.seconds`, and then nothing of it runs any more."""
    limits = limits or Limits()
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(JAIL)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    ) as child:
        try:
            return _listen(child, program, limits)
        finally:
            _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill the whole group; its first process may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _listen(child: "subprocess.Popen[bytes]", program: Program, limits: Limits) -> Verdict:
    assert child.stdin is not None
    word, guards = secrets.token_hex(16), ""
    _say(child, {"program": program.text, "memory": limits.memory, "seconds": limits.seconds})
    deadline = time.monotonic() + limits.seconds
    for row in _rows(child, deadline):
        match row:
            case {"came": "guards", "said": guards}:
                pass
            case {"came": "ready"}:
                _say(child, {"tests": program.tests, "word": word})
            case {"came": "passed", "said": said} if said == word:
                return Verdict("passed", "", guards)
            case {"came": "failed" | "error" | "memory" | "forbidden" as came, "said": said}:
                return Verdict(came, said, guards)
            case _:
                return Verdict("error", "it answers in the place of its tests", guards)
    if time.monotonic() >= deadline:
        return Verdict("timeout", f"{limits.seconds:g} s", guards)
    return _ended(child, guards)


def _ended(child: "subprocess.Popen[bytes]", guards: str) -> Verdict:
    """What a silent end means."""
    code = child.wait()
    number = -code if code < 0 else code - 128
    if not guards:
        raise UserError(
            f"the sandbox did not start (exit {code}), so no code was run; leave out the tasks that run code"
        )
    if number in (signal.SIGXCPU,):
        return Verdict("timeout", "processor time", guards)
    if number in set(signal.Signals):
        return Verdict("killed", signal.Signals(number).name, guards)
    return Verdict("error", "it ended before its tests did", guards)


def _say(child: "subprocess.Popen[bytes]", row: dict[str, object]) -> None:
    assert child.stdin is not None
    try:
        child.stdin.write((json.dumps(row) + "\n").encode())
        child.stdin.flush()
    except BrokenPipeError:  # it has ended; its last words say why
        pass


def _rows(child: "subprocess.Popen[bytes]", deadline: float) -> Iterator[Any]:
    """Rows as they come, until the end, the deadline or too much talk."""
    assert child.stdout is not None
    held, read = b"", 0
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        while read < MOST and ready.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(child.stdout.fileno(), 4096)
            if not piece:
                return
            *lines, held = (held + piece).split(b"\n")
            read += len(piece)
            for line in lines:
                try:
                    yield json.loads(line)
                except ValueError:
                    yield None
