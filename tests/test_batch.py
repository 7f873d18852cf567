"""Batches of prompts: the same texts as one by one, kill -9 in the middle, rows that fail, files that are wrong."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hornbook.batch import answer_rows, finished, read_rows
from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.sample import Sampling
from hornbook.generate.serving import Request


def greedy(ids, source, number):
    return Request(prompt=ids, source=source, sampling=Sampling(temperature=0), max_new_tokens=6)


def test_answers_are_those_of_each_alone_in_the_order_of_the_rows(tiny_base, tmp_path):
    (tmp_path / "a.txt").write_text("The small\n\nOne of them\nfox\n")
    rows, lm = read_rows(tmp_path / "a.txt"), LanguageModel.load(tiny_base)
    assert [row.id for row in rows] == ["a.txt:1", "a.txt:3", "a.txt:4"]
    assert answer_rows(lm, rows, tmp_path / "out.jsonl", greedy, note=lambda line: None) == (3, 0)
    told = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [each["id"] for each in told] == [row.id for row in rows]
    assert [each["text"] for each in told] == [
        lm.generate(each["prompt"], temperature=0, max_new_tokens=6) for each in told
    ]


def test_a_row_that_fails_fails_alone(tiny_base, tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"id": 7, "prompt": "'
        + "fox " * 500
        + '"}\n{"messages": [{"role": "user", "content": "x"}]}\n{"prompt": "a"}\n'
    )
    rows, lm = read_rows(tmp_path / "a.jsonl"), LanguageModel.load(tiny_base)
    lm.renderer = None
    assert answer_rows(lm, rows, tmp_path / "out.jsonl", greedy, note=lambda line: None) == (3, 2)
    first, second, third = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert (first["id"], "text" in first, "text" in third) == ("7", False, True)
    assert "no chat template" in second["error"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"prompt": "a"}\n{"prompt": ', "a.jsonl:2: is no JSON"),
        ('{"text": "a"}', 'a.jsonl:1: give one of "prompt" and "messages"'),
        ('{"prompt": 3}', "a.jsonl:1: prompt: 3 is no text"),
        ('{"messages": ["x"]}', "a.jsonl:1: messages: give a list"),
        ('{"id": 1, "prompt": "a"}\n{"id": 1, "prompt": "b"}', "the id '1' comes twice"),
        ("\n", "has no prompt"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, text, sentence):
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_rows(tmp_path / "a.jsonl")


def test_other_questions_are_not_mixed_with_answers(tmp_path):
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "out.jsonl").write_text('{"id": "a.txt:1", "prompt": "two", "text": "x"}\n')
    with pytest.raises(UserError, match=r"out.jsonl:1: 'a.txt:1' was another question"):
        finished(tmp_path / "out.jsonl", read_rows(tmp_path / "a.txt"))


def command(base, folder, out):
    asked = ["--file", str(folder / "a.txt"), "--out", str(out), "-n", "60", "--seed", "3"]
    return [sys.executable, "-m", "hornbook", "generate", str(base), *asked]


def wait_for_lines(out, count):
    end = time.monotonic() + 60
    while time.monotonic() < end and not (out.exists() and out.read_bytes().count(b"\n") >= count):
        time.sleep(0.005)


def test_killed_in_the_middle_it_goes_on(tiny_base, tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"The fox {i}\n" for i in range(60)))
    out, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    process = subprocess.Popen(command(tiny_base, tmp_path, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_lines(out, 3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = out.read_bytes()
    kept = before[: before.rfind(b"\n") + 1]
    assert 3 <= kept.count(b"\n") < 60
    out.write_bytes(kept + b'{"id": "a.txt:9')  # half a line
    done = subprocess.run(command(tiny_base, tmp_path, out), capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert f"60 answers, {60 - len(kept.splitlines())} of them new, 0 of these failed" in done.stdout
    assert out.read_bytes().startswith(kept)
    subprocess.run(command(tiny_base, tmp_path, whole), capture_output=True, check=True, timeout=100)
    assert out.read_bytes() == whole.read_bytes()


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tiny_base, tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"The fox {i}\n" for i in range(60)))
    out, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    with subprocess.Popen(
        command(tiny_base, tmp_path, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_lines(out, 3)
        process.send_signal(signal.SIGINT)
        try:
            said, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    lines = out.read_text().splitlines()
    assert (process.returncode, said) == (130, "")
    assert errors.splitlines()[-1] == (
        f"stopped by SIGINT and {len(lines)} of 60 answers are in {out}; the same command goes on from there"
    )
    assert "Traceback" not in errors
    assert 3 <= len(lines) < 60
    before = out.read_bytes()
    done = subprocess.run(command(tiny_base, tmp_path, out), capture_output=True, text=True, timeout=100)
    assert f"60 answers, {60 - len(lines)} of them new, 0 of these failed" in done.stdout
    assert out.read_bytes().startswith(before)
    subprocess.run(command(tiny_base, tmp_path, whole), capture_output=True, check=True, timeout=100)
    assert out.read_bytes() == whole.read_bytes()
