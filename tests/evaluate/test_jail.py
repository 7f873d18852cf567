"""The inside of the sandbox by itself: what it says, and what holds it."""

import json
import subprocess
import sys

from hornbook.evaluate.sandbox import JAIL


def said(*rows: dict[str, object]) -> list[dict[str, str]]:
    talk = "".join(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run(
        [sys.executable, "-I", "-S", JAIL], input=talk, capture_output=True, text=True, timeout=30, env={}
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_asks_for_the_tests_when_the_program_has_run() -> None:
    asked = {"program": "import os, sys\nx = {*os.environ} - {'LC_CTYPE'}", "memory": 1 << 29, "seconds": 5}
    guards, ready, passed = said(asked, {"tests": "assert not x", "word": "well done"})
    assert {"FSIZE", "CPU"} <= set(guards["said"].split(", "))
    assert ready["came"] == "ready"
    assert passed == {"came": "passed", "said": "well done"}


def test_nothing_of_the_machine_is_seen() -> None:
    asked = {"program": "import os\nseen = os.listdir('/')\npid = os.getpid()", "memory": 1 << 29, "seconds": 5}
    rows = said(asked, {"tests": "assert 'home' not in seen and pid == 1, (seen, pid)", "word": ""})
    if "namespaces" in rows[0]["said"]:
        assert rows[-1]["came"] == "passed", rows[-1]
