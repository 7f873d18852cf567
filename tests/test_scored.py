"""Models on benchmarks through the command line: killed and begun again, compared, reported."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.evaluate import evaluation
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.scored import Wish, compare_folders, evaluate
from hornbook.text.bpe import BPE

TASK = 'type: multiple_choice\nprompt: "{{q}} ="\nchoices: "{{c}}"\nanswer: "{{a}}"\ndata: {files: [sums.jsonl]}\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    tokenizer = BPE(vocab=300).train(["1 + 2 = 3, 2 + 2 = 4 and so on."] * 9)
    config = recipe.load(Decoder, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}"])
    for seed, name in enumerate(("one", "two")):
        LanguageModel(config.build(torch.Generator().manual_seed(seed)), tokenizer).save(folder / name)
    rows = [{"q": f"{n} + 1", "c": [str(n + k) for k in range(4)], "a": n % 4} for n in range(400)]
    (folder / "data").mkdir()
    (folder / "data" / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "sums.yaml").write_text(TASK)
    return folder


def command(place: Path, out: Path) -> list[str]:
    models = [str(place / "one"), str(place / "two")]
    options = ["--tasks", str(place / "sums.yaml"), "--data", str(place / "data"), "--out", str(out)]
    return [sys.executable, "-m", "hornbook", "evaluate", *models, *options]


def test_a_killed_evaluation_comes_to_the_same_report(place: Path, tmp_path: Path) -> None:
    whole = subprocess.run(command(place, tmp_path / "whole"), capture_output=True, text=True, timeout=120)
    assert whole.returncode == 0, whole.stderr
    assert "in brackets: the 95 % interval" in whole.stdout
    killed = subprocess.Popen(command(place, tmp_path / "killed"), stdout=subprocess.DEVNULL, start_new_session=True)
    answers = tmp_path / "killed" / "one"
    while killed.poll() is None and not any(path.stat().st_size for path in answers.glob("answers-*.jsonl")):
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (answers / "results.json").exists()
    kept = sum(len(path.read_bytes().splitlines()) for path in answers.glob("answers-*.jsonl"))
    assert 0 < kept < 1600
    again = subprocess.run(command(place, tmp_path / "killed"), capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "killed" / "report.html").read_bytes() == (tmp_path / "whole" / "report.html").read_bytes()
    assert "no difference between one and two can be told" in "".join(compare_folders(*_folders(tmp_path / "whole")))


def _folders(out: Path) -> tuple[Path, Path]:
    return out / "one", out / "two"


def test_what_cannot_be_compared_is_told(place: Path, tmp_path: Path) -> None:
    for name, key in (("one", "a:1"), ("two", "b:1")):
        row = evaluation.Outcome(key, "", {"acc": 1.0}, {})
        evaluation.write(tmp_path / name, "sums", [row], about={})
    with pytest.raises(UserError, match="have no question in common"):
        compare_folders(*_folders(tmp_path))
    with pytest.raises(UserError, match="no such folder; name the one with the benchmarks"):
        evaluate([str(place / "one")], Wish(tasks=("arc_easy",), data=tmp_path / "none"), tmp_path)


def test_what_lost_its_beginning_is_told_in_table_and_report(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "1 + 2 = 3, " * 200
    for name, question in (("short", "1 + 2 ="), ("long", long)):
        row = {"q": question, "a": "3"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n" + json.dumps({**row, "q": question + " "}))
        kind = 'type: exact_match\nprompt: "{{q}}"\nanswer: "{{a}}"\nmax_new_tokens: 4\n'
        (tmp_path / f"{name}.yaml").write_text(f"{kind}data: {{files: [{name}.jsonl]}}\n")
    tasks = (str(tmp_path / "short.yaml"), str(tmp_path / "long.yaml"))
    report = evaluate([str(place / "one")], Wish(tasks=tasks, data=tmp_path), tmp_path / "out")
    said = "2 questions lost the beginning of the context to fit the model's window"
    printed = capsys.readouterr().out
    assert f"long, one: {said}\n" in printed
    assert "short, one" not in printed
    assert report.read_text().count(said.replace("'", "&#x27;")) == 1
    results = evaluation.read(tmp_path / "out" / "one")["tasks"]
    assert results["long"]["truncated"] == 2
    assert "truncated" not in results["short"]
