"""`hornbook evaluate`: the usual command needs no name, the others have one, and a mistake is a sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluate.tiny_models import make


def hornbook(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hornbook", *words], capture_output=True, text=True, timeout=60)


def test_the_tasks_are_listed() -> None:
    found = hornbook("evaluate", "tasks")
    assert found.returncode == 0
    for task in ("arc_easy", "mmlu", "cmmlu", "truthfulqa_mc2", "xcopa_zh"):
        assert task in found.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("runs/none",), "error: runs/none: is no run folder"),
        (("runs/none", "--tasks", "arc_eazy"), "arc_easy"),
        (("compare", "none", "neither"), "error: none: holds no results.json"),
    ],
)
def test_a_mistake_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    found = hornbook("evaluate", *words)
    assert found.returncode == 2
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr


def test_help_shows_both_the_commands_and_the_usual_one() -> None:
    assert "compare" in hornbook("evaluate", "--help").stdout
    assert "--tasks" in hornbook("evaluate", "models", "--help").stdout


TASK = """type: exact_match
prompt: "Question: {{q}}\\nAnswer:"
answer: "{{a}}"
max_new_tokens: 4
data: {files: [sums.jsonl]}
"""


@pytest.mark.slow
def test_questions_through_the_chat_template(tmp_path: Path) -> None:
    """The model reads its template around the question; one that has none is refused in a sentence."""
    (tmp_path / "sums.yaml").write_text(TASK)
    (tmp_path / "sums.jsonl").write_text(json.dumps({"q": "1 + 1?", "a": "2"}) + "\n")
    given = ["--tasks", str(tmp_path / "sums.yaml"), "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    found = hornbook("evaluate", str(make("chat", tmp_path / "chat")), "--chat", *given)
    assert found.returncode == 0, found.stderr
    asked = "<|im_start|>user\nQuestion: 1 + 1?\nAnswer:<|im_end|>\n<|im_start|>assistant\n"
    (item,) = map(json.loads, (tmp_path / "out/chat/items/sums.jsonl").read_text().splitlines())
    assert item["detail"]["read"] == asked
    assert json.loads((tmp_path / "out/chat/results.json").read_text())["about"]["chat"] is True
    page = (tmp_path / "out/report.html").read_text()
    assert "&lt;|im_start|&gt;user\nQuestion: 1 + 1?" in page
    bare = hornbook("evaluate", str(make("tiny", tmp_path / "bare")), "--chat", *given)
    assert bare.returncode == 2
    assert bare.stderr.strip().endswith("has no chat template; leave it out, or fine-tune the model on conversations")
    plain = hornbook("evaluate", str(tmp_path / "chat"), *given)
    assert plain.returncode == 0, plain.stderr
    (item,) = map(json.loads, (tmp_path / "out/chat/items/sums.jsonl").read_text().splitlines())
    assert "read" not in item["detail"]
    assert item["detail"]["prompt"] == "Question: 1 + 1?\nAnswer:"
