"""Judging from files to the report: a judge of this machine, one behind `hornbook serve`, one that is down."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate import evaluation, verdicts
from hornbook.judged import Asking, Wish, _names, judge, respondent
from tests.evaluate.test_truth import classifier
from tests.tiny_judge import judge_that_says

TASKS = ["Name a colour.", "Add 2 and 3.", "Say hello in German."]


def answers(folder: Path, name: str, *said: str, **more: Any) -> Path:
    path = folder / f"{name}.jsonl"
    rows = [
        {"id": f"q{n}", "question": q, "answer": a} | more for n, (q, a) in enumerate(zip(TASKS, said, strict=False))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def says(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of judges that always say the same."""
    folder = tmp_path_factory.mktemp("judges")
    found = {}
    for name, reply in {
        "seven": "7",
        "first": "[[A]]",
        "letter": "A",
        "feedback": "Feedback: fine. [RESULT] 4",
    }.items():
        judge_that_says(reply).save(folder / name)
        found[name] = str(folder / name)
    return found


def results(folder: Path, title: str) -> dict[str, Any]:
    found: dict[str, Any] = evaluation.read(folder)["judged"][title]
    return found


def test_each_answer_by_itself(says: dict[str, str], tmp_path: Path) -> None:
    files = [answers(tmp_path, "one", "Blue.", "5", ""), answers(tmp_path, "two", "Red.", "6", "Hallo")]
    report = judge(files, Wish(asking=Asking(by=says["seven"])), tmp_path / "out")
    found = results(tmp_path / "out" / "one", "score by seven")
    assert (found["score"]["value"], found["score"]["of"], found["empty"]) == (pytest.approx(14 / 3), 3, 1)
    assert found["differences"]["two"]["sentence"].startswith("no difference between two and one can be told")
    rows = verdicts.read(tmp_path / "out" / "two", "score by seven")
    assert [(row.id, row.metrics["score"], row.detail["words"]) for row in rows] == [
        (f"q{n}", 7, "7") for n in range(3)
    ]
    page = report.read_text(encoding="utf-8")
    assert "Judged: score by seven" in page
    assert "1 empty answer, scored as the worst there is without asking" in page


def test_what_is_judged_is_not_judged_again(says: dict[str, str], tmp_path: Path) -> None:
    wish = Wish(asking=Asking(by=says["feedback"]), judge="prometheus")
    judge([answers(tmp_path, "one", "Blue.", "5")], wish, tmp_path / "out")
    [log] = (tmp_path / "out" / "judges").iterdir()
    before = log.read_bytes()
    judge([answers(tmp_path, "one", "Blue.", "5", "Hallo")], wish, tmp_path / "out")
    after = log.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == before.count(b"\n") + 1
    assert results(tmp_path / "out" / "one", "prometheus by feedback")["score"]["value"] == 4


def test_a_judge_that_likes_a_place_decides_nothing(says: dict[str, str], tmp_path: Path) -> None:
    files = [answers(tmp_path, "one", "Blue.", "5"), answers(tmp_path, "two", "Red, I think.", "6")]
    ratings = tmp_path / "ratings.jsonl"
    ratings.write_text('{"id": "q0", "rater": "eva", "a": "two", "b": "one", "winner": "a"}\n', encoding="utf-8")
    judge(files, Wish(asking=Asking(by=says["first"]), judge="pairwise", ratings=ratings), tmp_path / "out")
    found = results(tmp_path / "out" / "one", "pairwise by first, against two")
    assert (found["won"], found["tied"], found["lost"], found["position_bias"]["value"]) == (0, 2, 0, 1.0)
    assert found["people"]["same"]["value"] == 0
    judge(files, Wish(asking=Asking(by=says["letter"]), judge="alpaca"), tmp_path / "out")
    found = results(tmp_path / "out" / "one", "alpaca by letter, against two")
    assert found["win"]["value"] == pytest.approx(0.5)
    assert found["length_controlled"]["value"] == pytest.approx(0.5)
    assert len(evaluation.read(tmp_path / "out" / "one")["judged"]) == 2


def test_a_classifier_judges(tmp_path: Path) -> None:
    classifier(tmp_path / "judge")
    files = [answers(tmp_path, "one", "Blue.", "5"), answers(tmp_path, "two", "Red.", "")]
    judge(files, Wish(asking=Asking(by=str(tmp_path / "judge")), judge="truth"), tmp_path / "out")
    found = results(tmp_path / "out" / "one", "truth by judge")
    assert found["yes"]["of"] == 2
    assert found["differences"]["two"]["test"] == "McNemar"


def test_benchmark_and_judge_stand_in_one_report(says: dict[str, str], tmp_path: Path) -> None:
    from hornbook.evaluate.task import Outcome

    outcome = Outcome("1", "", {"acc": 1.0}, {})
    evaluation.write(tmp_path / "out" / "one", "arc_easy", [outcome] * 3, about={"model": "runs/one"})
    report = judge([answers(tmp_path, "one", "Blue.")], Wish(asking=Asking(by=says["seven"])), tmp_path / "out")
    page = report.read_text(encoding="utf-8")
    assert "arc_easy" in page
    assert "Judged: score by seven" in page
    assert evaluation.read(tmp_path / "out" / "one")["about"] == {"model": "runs/one"}


def test_a_judge_without_verdicts_is_a_sentence_and_its_words_stay(says: dict[str, str], tmp_path: Path) -> None:
    wish = Wish(asking=Asking(by=says["letter"]))
    with pytest.raises(UserError, match=r"score by letter: none of 2 replies has a verdict \(it said 'A'\)"):
        judge([answers(tmp_path, "one", "Blue.", "5")], wish, tmp_path / "out")
    rows = verdicts.read(tmp_path / "out" / "one", "score by letter")
    assert [row.detail["left_out"] for row in rows] == ["no verdict in the reply"] * 2
    found = results(tmp_path / "out" / "one", "score by letter")
    assert found["replies"] == {"no verdict in the reply": 2, "asked twice": 2}
    assert "score" not in found


@pytest.mark.parametrize(
    ("by", "judged", "sentence"),
    [
        ("http://localhost:1/v1", "score", "names no model; write it like http://localhost:11434/v1#llama3.2"),
        ("http://localhost:1/v1#m", "truth", "this judge is a classifier of your own; name its folder"),
        ("no/such/folder", "score", "no/such/folder: no such folder"),
        ("http://localhost:1/v1#m", "pairwise", "pairwise: compares two models; name a second file of answers"),
        ("http://localhost:1/v1#m", "scores", "did you mean"),
    ],
)
def test_a_mistake_is_one_sentence(by: str, judged: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        judge([answers(tmp_path, "one", "Blue.")], Wish(asking=Asking(by=by), judge=judged), tmp_path / "out")
    assert sentence in str(caught.value)


def test_an_endpoint_that_is_down_is_a_sentence(tmp_path: Path) -> None:
    wish = Wish(asking=Asking(by="http://127.0.0.1:1/v1#m", attempts=1))
    with pytest.raises(UserError, match="run the command again, which goes on from here"):
        judge([answers(tmp_path, "one", "Blue.")], wish, tmp_path / "out")


def test_a_folder_that_cannot_chat_is_no_judge(tmp_path: Path) -> None:
    lm = judge_that_says("7")
    lm.renderer = None
    lm.save(tmp_path / "base")
    with pytest.raises(UserError, match="has no chat template, so it cannot be asked"):
        respondent(Asking(by=str(tmp_path / "base")))


def test_models_are_called_like_their_files(tmp_path: Path) -> None:
    assert _names([Path("a/llama3.2.jsonl"), Path("b/demo.jsonl.gz")]) == ["llama3.2", "demo"]
    assert _names([Path("a/demo.jsonl"), Path("b/demo.json")]) == ["a-demo", "b-demo"]
    with pytest.raises(UserError, match="demo: two files of answers have this name"):
        _names([Path("a/demo.jsonl"), Path("a/demo.jsonl")])


def test_the_name_of_a_judge() -> None:
    assert Asking(by="http://a/v1#org/llama").short == "org/llama"
    assert Asking(by="models/smol.q8_0.gguf").short == "smol.q8_0"
    assert Asking(by="runs/demo").short == "demo"


class Serving:
    """`hornbook serve` with some judges, a process of its own."""

    def __init__(self, *models: str, port: int = 0) -> None:
        command = [sys.executable, "-m", "hornbook", "serve", *models, "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = next(filter(None, (re.search(r"http://127\.0\.0\.1:(\d+)/v1", line) for line in self.process.stdout)))
        self.url, self.port = found[0], int(found[1])

    def by(self, name: str, **how: Any) -> Asking:
        return Asking(by=f"{self.url}#{name}", **how)

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def serving(says: dict[str, str]) -> Iterator[Serving]:
    running = Serving(*(f"{name}={folder}" for name, folder in says.items()))
    yield running
    running.stop()


def test_a_judge_behind_hornbook_serve(serving: Serving, says: dict[str, str], tmp_path: Path) -> None:
    """Its scores, verdicts and probabilities are those of the model folder."""
    files = [answers(tmp_path, "one", "Blue.", "5"), answers(tmp_path, "two", "Red, I think.", "6")]
    for name, judged in (("seven", "score"), ("feedback", "prometheus"), ("first", "pairwise"), ("letter", "alpaca")):
        judge(files, Wish(asking=serving.by(name), judge=judged), tmp_path / "served")
        judge(files, Wish(asking=Asking(by=says[name]), judge=judged), tmp_path / "here")
    there, here = (evaluation.read(tmp_path / where / "one")["judged"] for where in ("served", "here"))
    assert list(there) == list(here)
    for title, found in there.items():
        for metric in {"score", "win", "position_bias"} & found.keys():
            assert found[metric]["value"] == pytest.approx(here[title][metric]["value"], abs=1e-5)
    assert there["score by seven"]["score"]["value"] == 7
    logs = "".join(log.read_text(encoding="utf-8") for log in (tmp_path / "served" / "judges").iterdir())
    replies = [json.loads(line)["answer"] for line in logs.splitlines()]
    weighed = [reply["first"] for reply in replies if reply["first"]]
    assert len(weighed) == 4  # two pairs in both orders
    assert all(tokens["A"] == max(tokens.values()) > -0.01 for tokens in weighed)


def test_what_a_tiny_model_says_is_counted_and_not_scored(serving: Serving, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of 2 replies has a verdict"):
        judge([answers(tmp_path, "one", "Blue.", "5")], Wish(asking=serving.by("letter")), tmp_path / "out")
    assert results(tmp_path / "out" / "one", "score by letter")["replies"]["asked twice"] == 2


def test_a_model_the_server_does_not_have(serving: Serving, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="refuses with 404"):
        judge([answers(tmp_path, "one", "Blue.")], Wish(asking=serving.by("nobody")), tmp_path / "out")


@pytest.mark.slow
def test_a_server_that_goes_away_and_comes_back(says: dict[str, str], tmp_path: Path) -> None:
    """What was judged stays, the command ends with a sentence, and the same command goes on."""
    running = Serving(f"seven={says['seven']}")
    wish = Wish(asking=running.by("seven", attempts=1))
    out = tmp_path / "out"
    judge([answers(tmp_path, "one", "Blue.")], wish, out)
    running.stop()
    file = answers(tmp_path, "one", "Blue.", "5", "Hallo")
    with pytest.raises(UserError, match="not one of 2 questions was answered"):
        judge([file], wish, out)
    [log] = (out / "judges").iterdir()
    before = log.read_bytes()
    again = Serving(f"seven={says['seven']}", port=running.port)
    judge([file], wish, out)
    again.stop()
    assert log.read_bytes().startswith(before)
    assert log.read_bytes().count(b"\n") == 3
    assert results(out / "one", "score by seven")["score"]["of"] == 3
