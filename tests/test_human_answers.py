"""Prompts and answers as people bring them, and what is wrong with them in one sentence."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hornbook import human_answers
from hornbook.core.errors import UserError
from hornbook.core.run import Log
from hornbook.evaluate import evaluation
from hornbook.evaluate.task import Outcome
from hornbook.human_answers import Source, Writing, prompts_of, read_prompts, sources, stored, written
from tests.tiny_chat import chat_model


def rows(path: Path, *some: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some), encoding="utf-8")
    return path


def test_a_prompt_a_line(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("\ufeffWhat is it?\n\n  这是什么 \n", encoding="utf-8")
    assert [(p.id, p.place, p.text) for p in read_prompts(path)] == [
        ("1", "p.txt:1", "What is it?"),
        ("3", "p.txt:3", "这是什么"),
    ]


def test_rows_of_many_kinds(tmp_path: Path) -> None:
    talk = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Go"},
    ]
    path = rows(
        tmp_path / "p.jsonl",
        {"prompt": "one"},
        {"question": "two", "id": "second"},
        {"instruction": "three", "input": "3"},
        {"messages": talk},
        {"question_id": 81, "turns": ["five", "and then?"]},
    )
    found = read_prompts(path)
    assert [prompt.id for prompt in found] == ["1", "second", "3", "4", "81"]
    texts = ["one", "two", "three\n\n3", "User: Hi\n\nAssistant: Yes?\n\nUser: Go", "①\nfive\n\n②\nand then?"]
    assert [prompt.text for prompt in found] == texts


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("p.txt", b"\n \n", r"p.txt: there is no prompt in it; write one a line"),
        ("p.jsonl", b"\n", r"p.jsonl: there are no rows in it"),
        ("p.txt", b"\x89PNG\xff", r"p.txt: not UTF-8 text \(byte 0\)"),
        ("p.jsonl", b"What is it?\n", r"p.jsonl:1: not JSON"),
        ("p.jsonl", b'{"a": 1}\n', r"p.jsonl:1: no prompt; give it in a column `prompt`, it has a"),
        ("p.jsonl", b'{"prompt": " "}\n', r"p.jsonl:1: prompt is empty"),
        ("p.txt", b"one\ntwo\none\n", r"p.txt:3: the same prompt as p.txt:1; take one of them out"),
        (
            "p.jsonl",
            b'{"id": 1, "prompt": "a"}\n{"id": 1, "prompt": "b"}\n',
            r"p.jsonl:2: the same id \(1\) as p.jsonl:1",
        ),
        ("p.pdf", b"%PDF", r"rows are read from .*, not from .pdf"),
    ],
)
def test_a_bad_file_of_prompts_is_one_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_prompts(tmp_path / name)


def test_no_such_file_of_prompts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_prompts(tmp_path / "prompts.txt")


def test_names(tmp_path: Path) -> None:
    a = rows(tmp_path / "a.jsonl", {"prompt": "1", "answer": "2"})
    items = rows(tmp_path / "evaluations" / "demo" / "items" / "chat.jsonl", {"id": "1"})
    found = sources([str(a), str(items), "runs/demo", "runs/other", "best=runs/demo"])
    assert [each.name for each in found] == ["a", "evaluations-demo", "runs-demo", "other", "best"]
    assert [each.file for each in found[:3]] == [a, items, None]


def test_two_models_of_one_name_are_told_apart_by_the_user() -> None:
    with pytest.raises(UserError, match=r"would both be called .*demo; name them: first=runs/demo second=runs/demo"):
        sources(["runs/demo", "runs/demo"])
    assert [each.name for each in sources(["cold=runs/demo", "warm=runs/demo"])] == ["cold", "warm"]


def test_answers_of_a_file_find_their_prompts(tmp_path: Path) -> None:
    path = rows(tmp_path / "a.jsonl", {"question": "two", "response": "2"}, {"instruction": "one", "output": "1"})
    asked = tmp_path / "p.txt"
    asked.write_text("one\ntwo\n")
    assert stored(path, read_prompts(asked)) == {"1": "1", "2": "2"}
    assert [(p.id, p.text) for p in prompts_of(path)] == [("1", "two"), ("2", "one")]


def test_answers_of_an_evaluation(tmp_path: Path) -> None:
    some = [Outcome("7", "", {"acc": 1.0}, {"prompt": "1 + 1?", "answer": "two, the key", "generation": "It is 2."})]
    evaluation.write(tmp_path, "sums", some, about={})
    path = tmp_path / "items" / "sums.jsonl"
    assert stored(path, prompts_of(path)) == {"7": "It is 2."}


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"prompt": "one"}, r"a.jsonl:1: no answer; a row of answers is"),
        ({"answer": "one"}, r"a.jsonl:1: no prompt"),
        ({"prompt": "three", "answer": "3"}, r"a.jsonl: has no answer to 2 of 2 prompts, the first is p.txt:1"),
    ],
)
def test_a_bad_file_of_answers_is_one_sentence(tmp_path: Path, row: dict[str, str], sentence: str) -> None:
    asked = tmp_path / "p.txt"
    asked.write_text("one\ntwo\n")
    with pytest.raises(UserError, match=sentence):
        stored(rows(tmp_path / "a.jsonl", row), read_prompts(asked))


def test_a_model_answers_and_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept is not written again, the rest is what an unbroken run writes."""
    model, asked = chat_model(), tmp_path / "p.txt"
    monkeypatch.setattr(human_answers, "TOGETHER", 2)
    monkeypatch.setattr(human_answers, "_opened", lambda source: model)
    asked.write_text("the cat\nthe hat\non the mat\nsat\nthe mat\n")
    prompts, writing, seen = read_prompts(asked), Writing(max_new_tokens=6, temperature=1.0), list[tuple[int, int]]()
    source, told = Source("tiny", "tiny"), lambda name, done, of: seen.append((done, of))
    whole = written(source, prompts, Log(tmp_path / "whole.jsonl"), writing, told)
    assert seen == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert len(set(whole.values())) > 1
    log = Log(tmp_path / "cut.jsonl")
    log.append(*Log(tmp_path / "whole.jsonl").rows()[:3])
    monkeypatch.setattr(model, "chat_batch", _counting(model.chat_batch, calls := []))
    assert written(source, prompts, log, writing, told) == whole
    assert calls == [2, 1]
    assert [row["id"] for row in log.rows()] == ["1", "2", "3", "4", "5"]


def _counting(call: Any, calls: list[int]) -> Any:
    def counted(talks: Any, **how: Any) -> Any:
        calls.append(len(talks))
        return call(talks, **how)

    return counted


def test_later_turns_are_asked_after_the_models_own_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = chat_model()
    monkeypatch.setattr(human_answers, "_opened", lambda source: model)
    asked = [{"question_id": 1, "turns": ["the cat", "on the mat"]}, {"question_id": 2, "turns": ["sat"]}]
    prompts = read_prompts(rows(tmp_path / "question.jsonl", *asked))
    writing = Writing(max_new_tokens=6, temperature=0)
    found = written(Source("t", "t"), prompts, log := Log(tmp_path / "t.jsonl"), writing, lambda *_: None)
    talk = [{"role": "user", "content": "the cat"}]
    first = model.chat(talk, max_new_tokens=6, temperature=0)
    talk += [{"role": "assistant", "content": first}, {"role": "user", "content": "on the mat"}]
    second = model.chat(talk, max_new_tokens=6, temperature=0)
    assert found["1"] == f"①\n{first.strip()}\n\n②\n{second.strip()}"
    assert found["2"] == model.chat([{"role": "user", "content": "sat"}], max_new_tokens=6, temperature=0)
    assert log.rows()[0]["prompt"] == "①\nthe cat\n\n②\non the mat"


def test_both_turns_of_an_evaluation_are_read(tmp_path: Path) -> None:
    row = {
        "id": 81,
        "turns": ["Write.", "Again."],
        "answers": ["one", "two"],
        "detail": {"prompt": "x", "written": "y"},
    }
    path = rows(tmp_path / "demo" / "items" / "mt_bench.jsonl", row)
    questions = rows(tmp_path / "question.jsonl", {"question_id": 81, "turns": ["Write.", "Again."]})
    assert stored(path, read_prompts(questions)) == {"81": "①\none\n\n②\ntwo"}
    assert [prompt.text for prompt in prompts_of(path)] == ["①\nWrite.\n\n②\nAgain."]


def test_the_page_opens_without_what_computes() -> None:
    code = "import sys, hornbook.human; print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout == "[]\n"


def test_a_model_without_a_template_goes_on_with_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = chat_model()
    model.renderer = None
    monkeypatch.setattr(human_answers, "_opened", lambda source: model)
    (tmp_path / "p.txt").write_text("the cat\n")
    writing = Writing(max_new_tokens=4, temperature=0)
    found = written(
        Source("t", "t"), read_prompts(tmp_path / "p.txt"), Log(tmp_path / "l.jsonl"), writing, lambda *_: None
    )
    assert found["1"] == model.generate("the cat", max_new_tokens=4, temperature=0)
