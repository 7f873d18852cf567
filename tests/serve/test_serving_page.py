"""The examples of docs/serving.md, its curl commands and its Python, against a real server with a model called demo."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.served import Server

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HERE = "http://127.0.0.1:8000"


def examples(kind: str) -> list[str]:
    return [code for found, code in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if found == kind]


@pytest.fixture(scope="module")
def demo(models: dict[str, Path]) -> Iterator[Server]:
    with Server(f"demo={models['caller']}") as server:
        yield server


def test_the_curl_commands_answer(demo: Server) -> None:
    said: list[Any] = []
    for line in "".join(examples("sh")).splitlines():
        done = subprocess.run(
            [*shlex.split(line.replace(HERE, demo.url)), "-s"], capture_output=True, text=True, timeout=60, check=True
        )
        said.append(json.loads(done.stdout))
    chat, text, vectors, models, error = said
    assert chat["choices"][0]["message"]["role"] == "assistant"
    assert text["usage"]["completion_tokens"] <= 16
    assert len(vectors["data"]) == 2
    assert models["data"][0]["id"] == "demo"
    assert error["error"]["type"] == "invalid_request_error"


def test_the_python_runs(demo: Server, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    said = []
    for number, code in enumerate(examples("python")):
        exec(compile(code.replace(HERE, demo.url), f"serving.md, block {number + 1}", "exec"), names)
        said.append(capsys.readouterr().out)
    names["client"].close()
    assert [json.loads(each).keys() for each in said[-2:]] == [{"sure"}, {"days"}]
