"""A run's page from the files of a run: everything that is there, nothing that is not, at any moment of the run."""

import html
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.report import write_report

FakeRun = Callable[..., Path]


def words(path: Path) -> str:
    """What a reader sees of a page, tags taken away."""
    body = path.read_text(encoding="utf-8").partition("</style>")[2]
    return html.unescape(re.sub(r"<[^>]+>", " ", body))


def test_a_whole_run_is_on_the_page(fake_run: FakeRun, tmp_path: Path) -> None:
    seen = words(write_report(fake_run(tmp_path / "demo")))
    for expected in (
        "A language model of 5.1M parameters, made from 598 documents (11 MB) in 8m44s of training.",
        "before training",
        "step 400, 1.6M tokens read",
        'return [line.rstrip("\\n") for line in file]',
        "一个模型学会了",
        "写字 <b>&",
        "It needs 1.620 bits for a byte of held-out text, fewer than zstd -19 and xz -9",
        "xz -9 that has read the training text",
        "64% of the functions it completes are valid Python (64 tried)",
        "Held-out loss fell from 8.36 to 2.67 in 1.6M tokens",
        "Then: instruct",
        "accuracy: 93.1 %, on 300 held-out rows",
        "0.900 to 0.950",
        "shorter than 200 characters",
        "lib/bad.py:17",
        "one stands for 3.12 bytes of text on average",
        "isinstance, exception, return",
        "torch 2.13.0+cpu",
        "lr: 0.02",
    ):
        assert expected in seen, expected


@pytest.mark.parametrize(
    "missing",
    ["recipe.yaml", "environment.json", "training.json", "stages.json", "corpus", "shards", "tokenizer",
     "metrics.jsonl", "samples.jsonl", "evaluate.json", "instruct"],
)  # fmt: skip
def test_what_is_missing_is_left_out(fake_run: FakeRun, tmp_path: Path, missing: str) -> None:
    run = fake_run(tmp_path / "demo")
    path = run / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert "<h1>demo</h1>" in write_report(run).read_text(encoding="utf-8")


def test_a_run_that_has_just_begun(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("seed: 1\n")
    assert "its training has not begun" in words(write_report(tmp_path))
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"step": 1, "loss": 8.0, "tokens": 10, "seconds": 1.0}) + "\n{")
    assert "in 1s of training so far" in words(write_report(tmp_path))


def test_what_the_guard_saw_is_told(fake_run: FakeRun, tmp_path: Path) -> None:
    run = fake_run(tmp_path / "demo")
    (run / "events.jsonl").write_text('{"step": 7, "why": "loss is NaN", "documents": ["a", "b"]}\n')
    seen = words(write_report(run))
    assert "loss is NaN" in seen
    assert "a, b" in seen


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run folder"):
        write_report(tmp_path)


def test_writing_it_often_is_cheap(fake_run: FakeRun, tmp_path: Path) -> None:
    """Once a minute while training: 2,000 steps must cost well under one per cent of that minute."""
    run = fake_run(tmp_path / "demo", steps=2000)
    write_report(run)
    began = time.process_time()
    path = write_report(run)
    assert time.process_time() - began < 0.5
    assert path.stat().st_size < 400_000
