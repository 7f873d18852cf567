"""`hornbook evaluate human` from models to scores: folders, resuming, a kill in the middle, and mistakes."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hornbook import human, human_answers, scored_report
from hornbook.core.errors import UserError
from hornbook.evaluate import evaluation
from hornbook.evaluate.sitting import Answer, Sitting
from hornbook.evaluate.study import USUAL, Scale
from hornbook.human import Wish, evaluate, results
from tests.people import NAMES, files
from tests.tiny_chat import chat_model


def judging(said: str) -> Any:
    """A server in whose place a rater answers at once."""

    def serve(api: Any, listening: Any) -> None:
        listening.close()
        sitting: Sitting = api.sitting
        for word in said.split():
            question = sitting.state("Ann")["question"]
            marks = {scale.name: int(word) for scale in sitting.study.scales if word.isdigit()}
            sitting.rate("Ann", Answer(question=question["number"], said=marks or word, seconds=2.0))

    return serve


@pytest.fixture(autouse=True)
def _known_sitting(monkeypatch: pytest.MonkeyPatch) -> None:
    made = human.human_server.app

    def app(sitting: Sitting, *rest: Any) -> Any:
        api = made(sitting, *rest)
        api.sitting = sitting  # type: ignore[attr-defined]
        return api

    monkeypatch.setattr(human.human_server, "app", app)


def names(folder: Path) -> list[str]:
    return [str(path) for path in files(folder)]


def wish(folder: Path, **more: Any) -> Wish:
    return Wish(out=folder / "out", port=0, **more)


def test_files_of_answers_to_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = evaluate(names(tmp_path), wish(tmp_path), judging("left right tie bad skip"))
    assert report == tmp_path / "out" / "people_pairs" / "report.html"
    assert "What people say" in report.read_text(encoding="utf-8")
    said = capsys.readouterr().out
    assert "5 questions wait at http://127.0.0.1:" in said
    assert "4 judgements of 4 prompts: Ann 4 (2 s each)" in said
    assert evaluation.read(tmp_path / "out" / NAMES[0])["tasks"]["people_pairs"]["win_rate"]["of"] == 4
    kept = [json.loads(line) for line in (report.parent / "ratings.jsonl").read_text().splitlines()]
    assert [row["winner"] for row in kept][2:] == ["tie", "bad", "skip"]


def test_people_stand_in_the_report_of_benchmarks(tmp_path: Path) -> None:
    evaluate(names(tmp_path), wish(tmp_path), judging("tie left right tie bad"))
    evaluate(names(tmp_path), wish(tmp_path, scales=(Scale("fluent"),)), judging(" ".join("4354352111")))
    folders = {name: tmp_path / "out" / name for name in NAMES}
    html = scored_report.page({name: evaluation.read(each) for name, each in folders.items()}, folders)
    assert re.search(r"people_pairs, win_rate: no difference between [\w-]+ and [\w-]+ can be told", html)
    assert "people_scales, fluent: " in html
    assert not re.search(r"[2-9]\d\d%", html)


def test_the_same_command_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(names(tmp_path), wish(tmp_path), judging("left left"))
    evaluate(names(tmp_path), wish(tmp_path), judging("left left left"))
    assert "5 judgements of 5 prompts" in capsys.readouterr().out


def test_results_again_by_either_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = evaluate(names(tmp_path), wish(tmp_path), judging("left left"))
    evaluate(names(tmp_path), wish(tmp_path, scales=USUAL), judging(""))
    report.unlink()
    assert results(tmp_path / "out") == [report, tmp_path / "out" / "people_scales" / "report.html"]
    assert results(report.parent) == [report]
    assert report.is_file()
    assert "nobody has judged anything yet" in capsys.readouterr().out
    with pytest.raises(UserError, match="nobody was asked anything here"):
        results(tmp_path)


def test_a_half_written_line_is_told_and_the_rest_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = evaluate(names(tmp_path), wish(tmp_path), judging("left left"))
    with (report.parent / "ratings.jsonl").open("a") as file:
        file.write('{"id": "3", "rater": "An')
    results(tmp_path / "out")
    said = capsys.readouterr().out
    assert "ratings.jsonl: line 3 is no whole judgement and is passed over; the others count" in said
    assert said.count("2 judgements of 2 prompts") == 2


def test_a_folder_of_another_study_is_refused(tmp_path: Path) -> None:
    first, second = names(tmp_path)
    evaluate([first, second], wish(tmp_path), judging("left"))
    with pytest.raises(
        UserError, match=r"holds judgements of zebra-7b and tiger-8b, not of lion and tiger-8b; name anot"
    ):
        evaluate([f"lion={first}", second], wish(tmp_path), judging(""))
    (tmp_path / "p.txt").write_text("Name a river.\n")
    with pytest.raises(UserError, match="holds a study with other prompts; name another --out"):
        evaluate([first, second], wish(tmp_path, prompts=tmp_path / "p.txt"), judging(""))


def test_a_third_model_may_come_later(tmp_path: Path) -> None:
    first, second = names(tmp_path)
    evaluate([first, second], wish(tmp_path), judging("left left left left left"))
    evaluate([first, second, f"lion={first}"], wish(tmp_path), judging("right"))
    found = json.loads((tmp_path / "out" / "people_pairs" / "summary.json").read_text())
    assert found["ratings"] == 6
    assert [each["name"] for each in found["models"]] == [*NAMES, "lion"]


def test_models_are_asked_first_and_one_that_is_none_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.txt").write_text("the cat\nthe hat\n")
    asked = wish(tmp_path, prompts=tmp_path / "p.txt", writing=human_answers.Writing(max_new_tokens=4))
    chat_model().save(tmp_path / "tiny")
    monkeypatch.setattr(human_answers, "written", lambda *_: pytest.fail("nobody is to be asked yet"))
    with pytest.raises(UserError, match="tinny: no such folder"):
        evaluate([str(tmp_path / "tiny"), str(tmp_path / "tinny")], asked, judging(""))
    monkeypatch.undo()


def test_a_model_answers_for_people(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("the cat\nthe hat\n")
    model = chat_model()
    model.save(tmp_path / "tiny")
    writing = human_answers.Writing(max_new_tokens=4, temperature=0)
    asked = wish(tmp_path, prompts=tmp_path / "p.txt", writing=writing)
    twins = [str(tmp_path / "tiny"), f"twin={tmp_path / 'tiny'}"]
    with pytest.raises(UserError, match="tiny, twin: said the same to every prompt, so there is nothing to judge"):
        evaluate(twins, asked, judging(""))
    evaluate(twins[:1], replace(asked, scales=USUAL), judging(""))
    rows = (tmp_path / "out" / "people_scales" / "answers" / "tiny.jsonl").read_text().splitlines()
    said = model.chat([{"role": "user", "content": "the cat"}], max_new_tokens=4, temperature=0)
    assert json.loads(rows[0]) == {"id": "1", "prompt": "the cat", "answer": said}


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (1, "one alone can be compared with nothing"),
        (0, "--prompts: no file; name one with a prompt a line"),
    ],
)
def test_mistakes(tmp_path: Path, models: int, sentence: str) -> None:
    given = names(tmp_path)[:models] or ["runs/a", "runs/b"]
    with pytest.raises(UserError, match=sentence):
        evaluate(given, wish(tmp_path), judging(""))


@pytest.mark.slow  # the command starts twice
def test_a_kill_in_the_middle_keeps_every_judgement(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hornbook", "evaluate", "human", *names(tmp_path), "--out", str(tmp_path / "out")]
    before = _judge_three_and_end(command, signal.SIGKILL)
    assert len(before) == 3
    after = _judge_three_and_end(command, signal.SIGINT)
    assert [row["question"] for row in before] == [0, 1, 2]
    assert [row["question"] for row in after] == [3, 4]
    lines = (tmp_path / "out" / "people_pairs" / "ratings.jsonl").read_text().splitlines()
    assert len(lines) == 5
    assert (tmp_path / "out" / "people_pairs" / "report.html").is_file()


def _judge_three_and_end(command: list[str], how: signal.Signals) -> list[dict[str, Any]]:
    """Start the command, say left up to three times over HTTP, and end it by a signal; what was said."""
    server = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    home, given = next(line for line in server.stdout if "http" in line).split()[-1], []
    server.stdout.readline()
    state: Any = json.loads(urllib.request.urlopen(f"{home}/api/question?rater=Ann", timeout=20).read())
    while state["question"] is not None and len(given) < 3:
        given.append({"rater": "Ann", "question": state["question"]["number"], "said": "left"})
        body, head = json.dumps(given[-1]).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{home}/api/rating", body, head)
        state = json.loads(urllib.request.urlopen(request, timeout=20).read())
    server.send_signal(how)
    server.communicate(timeout=30)
    assert server.returncode == (-how if how == signal.SIGKILL else 0)
    time.sleep(0.1)
    return given
