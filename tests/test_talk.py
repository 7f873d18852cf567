"""A conversation in a real process: it answers, forgets when asked, and leaves when the input ends."""

import subprocess
import sys

import pytest

from tests.test_build import make, write_english


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("talk")
    write_english(place / "files")
    make(place / "run", place / "files").train("pretrain")
    return place / "run"


def chat(run, typed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hornbook", "chat", str(run), "-n", "6", "--seed", "3"]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=120)


def test_a_base_model_goes_on_from_what_is_written_and_says_so(trained):
    done = chat(trained, "The old cat\n\n/new\nThe dog \\\nand the bird\n/quit\nnever read\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "it goes on from what you write" in done.stdout
    assert done.stdout.count("/new forgets") == 2
    assert "\n. " in done.stdout or ". " in done.stdout  # the line that was continued
    assert "never read" not in done.stdout


def test_the_same_seed_gives_the_same_answer_and_the_end_of_input_leaves(trained):
    first, second = (chat(trained, "The old cat\n") for _ in range(2))
    assert first.returncode == 0
    assert first.stdout == second.stdout
