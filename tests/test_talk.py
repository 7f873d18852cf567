"""A conversation in a real process: it answers, forgets when asked, and leaves when the input ends."""

import os
import pty
import re
import subprocess
import sys
import time

import pytest

from tests.test_build import make, write_english


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("talk")
    write_english(place / "files")
    make(place / "run", place / "files").train("pretrain")
    return place / "run"


def chat(run, typed: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hornbook", "chat", str(run), "-n", "6", "--seed", "3", *more]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=120)


def test_a_base_model_goes_on_from_what_is_written_and_says_so(trained):
    done = chat(trained, "The old cat\n\n/new\nThe dog \\\nand the bird\n/quit\nnever read\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "it goes on from what you write" in done.stdout
    assert done.stdout.count("the conversation is forgotten") == 1
    assert "\n. " in done.stdout or ". " in done.stdout  # the line that was continued
    assert "never read" not in done.stdout


def test_the_same_seed_gives_the_same_answer_and_the_end_of_input_leaves(trained):
    first, second = (chat(trained, "The old cat\n") for _ in range(2))
    assert first.returncode == 0
    assert first.stdout == second.stdout


def test_on_a_terminal_lines_are_remembered_and_blocks_are_one_message(trained, tmp_path):
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "hornbook", "chat", str(trained), "-n", "4", "--seed", "3"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm"}
    process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment)
    os.close(inner)
    seen = ""

    def read_until(wanted: str) -> None:
        nonlocal seen
        ends = time.monotonic() + 90
        while wanted not in seen:
            assert time.monotonic() < ends, seen
            seen += os.read(outer, 4096).decode(errors="replace")

    read_until("> ")
    for typed, wanted in (
        ('"""\n', ". "),
        ("The old cat\n", ". "),
        ('and a dog\n"""\n', "> "),
        ("/set top_k 3\n", "top_k 3"),
    ):
        seen = ""
        os.write(outer, typed.encode())
        read_until(wanted)
    seen = ""
    os.write(outer, b"/settings\n")
    read_until("temperature 0.7")
    os.write(outer, b"/quit\n")
    assert process.wait(timeout=60) == 0
    os.close(outer)
    assert "/set top_k 3" in (tmp_path / "hornbook" / "lines").read_text()


def test_a_quantised_model_talks_and_says_how_large_it_is(trained):
    plain, packed = chat(trained, "The old cat\n"), chat(trained, "The old cat\n", "--quantise", "int8")
    assert (packed.returncode, packed.stderr) == (0, "")
    first = packed.stdout.splitlines()[0]
    assert re.search(r"M parameters, stored as int8 \(\d+\.\d MB\), has no chat", first)
    assert first.split(", stored")[0] == plain.stdout.splitlines()[0].split(", has no")[0]
    assert "int8" not in plain.stdout
    wrong = chat(trained, "", "--quantise", "int8", "--assistant", "assistants/blenderbot")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
