"""Bars where there is a terminal, lines now and then where there is none."""

import sys
import time

import pytest

from hornbook import corpus_progress
from hornbook.corpus_progress import Bars, said


class Terminal:
    """Takes what is written, and is a terminal."""

    def __init__(self) -> None:
        self.text = ""
        self.encoding = "utf-8"

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


def test_lines_come_every_few_seconds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Bars() as bars:
        for done in range(31):
            bars("gopher, c4", done * 1_000_000, 30_000_000)
            now[0] += 0.5
        bars("near duplicates, all together", 0, 0)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1].strip() for line in lines] == ["left 10s", "left 5s", "15s"]
    assert lines[0].split()[:7] == ["gopher,", "c4", "10MB", "of", "30MB", "2.0MB/s", "left"]


def test_a_short_run_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as bars:
        bars("normalise", 0, 10)
        bars("normalise", 10, 10)
    assert capsys.readouterr().out == ""


def test_a_terminal_has_a_bar_for_every_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Bars() as bars:
        for call in (("[red] first", 0, 10), ("[red] first", 10, 10), ("together", 0, 0), ("last", 10, 10)):
            bars(*call)
        assert [bar.finished for bar in bars.bars.tasks] == [True, True, True]
    assert all(name in terminal.text for name in ("[red] first", "together", "last", "10B"))


def test_the_rate_is_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(0, 0, 3.0) == ""
    assert said(0, 5_000, 3.0) == "5.0kB"
    assert said(1_000, 5_000, 2.0) == "1.0kB of 5.0kB  500B/s  left 8s"
    assert corpus_progress.NAME > 20
