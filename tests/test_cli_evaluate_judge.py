"""`hornbook evaluate judge`: the command, a mistake is a sentence, and benchmarks judged through a real endpoint."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from hornbook import scored
from hornbook.evaluate import answered, evaluation
from hornbook.evaluate.answered import Answered
from hornbook.generate.question import Reply
from tests.evaluate.scripted_judge import ScriptedEndpoint
from tests.evaluate.tiny_models import make
from tests.test_judged import Serving
from tests.tiny_judge import judge_that_says

ROWS = 12


def hornbook(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hornbook", "evaluate", "judge", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_model_folder_judges(tmp_path: Path) -> None:
    judge_that_says("7").save(tmp_path / "judge")
    answers = tmp_path / "mine.jsonl"
    answers.write_text('{"question": "2+2?", "answer": "4"}\n{"question": "2+3?", "answer": "4"}\n', encoding="utf-8")
    found = hornbook(str(answers), "--by", str(tmp_path / "judge"), "--out", str(tmp_path / "out"))
    assert found.returncode == 0, found.stderr
    assert "score by judge   mine        7" in found.stdout
    assert (tmp_path / "out" / "mine" / "judged" / "score-by-judge.jsonl").is_file()
    assert found.stdout.rstrip().endswith("report.html")


@pytest.mark.parametrize(
    ("row", "more", "sentence"),
    [
        ('{"answer": "4"}', (), "error: mine.jsonl:1: does not say what was asked"),
        ('{"question": "2+2?", "answer": "4"}', ("--attempts", "1"), "Connection refused"),
    ],
)
def test_a_mistake_is_one_sentence(row: str, more: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    answers = tmp_path / "mine.jsonl"
    answers.write_text(row + "\n", encoding="utf-8")
    found = hornbook(str(answers), "--by", "http://127.0.0.1:1/v1#m", "--out", str(tmp_path / "out"), *more)
    assert found.returncode == 2
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two models answered to MT-Bench's and AlpacaEval's form of questions, as `hornbook evaluate` writes it."""
    folder = tmp_path_factory.mktemp("judged")
    rows = {
        "mt_bench/question.jsonl": [{"question_id": n, "turns": [f"Say {n}.", "And then?"]} for n in range(ROWS)],
        "alpaca_eval/alpaca_eval.jsonl": [{"id": f"a{n}", "instruction": f"Say {n}."} for n in range(ROWS)],
    }
    for name, some in rows.items():
        (folder / "data" / name).parent.mkdir(parents=True)
        (folder / "data" / name).write_text("".join(json.dumps(row) + "\n" for row in some))
        task = name.partition("/")[0]
        text = files("hornbook").joinpath(f"recipes/evaluate/{task}.yaml").read_text(encoding="utf-8")
        (folder / f"{task}.yaml").write_text(re.sub(r"max_new_tokens: \d+", "max_new_tokens: 24", text))
    tasks = tuple(str(path) for path in sorted(folder.glob("*.yaml")))
    models = [str(make(name, folder / name)) for name in ("tiny", "chat")]
    scored.evaluate(models, scored.Wish(tasks=tasks, data=folder / "data"), folder / "out")
    return folder / "out"


def items(out: Path, task: str) -> list[str]:
    return [str(out / model / "items" / f"{task}.jsonl") for model in ("tiny", "chat")]


def number(text: str) -> int:
    found = re.search(r"Say (\d+)\.", text)
    assert found is not None
    return int(found[1])


def is_first(out: Path, task: str) -> Callable[[str], bool]:
    """Whether a judge's prompt shows the answer of `tiny` first."""
    said: list[dict[int, Answered]] = [
        {number(one.turns[0].question): one for one in answered.read(Path(path))} for path in items(out, task)
    ]
    assert not any(one.empty for some in said for one in some.values())
    return lambda text: (
        text.find(said[0][number(text)].turns[0].answer) < text.find(said[1][number(text)].turns[0].answer)
    )


def results(out: Path, title: str) -> dict[str, Any]:
    found: dict[str, Any] = evaluation.read(out / "tiny")["judged"][title]
    return found


def test_benchmarks_answers_get_scores_and_what_has_none_is_counted(evaluations: Path) -> None:
    def script(text: str, attempt: int) -> str | None:
        n = number(text)
        if n == 2:
            return None  # the endpoint fails at this one
        return "Hard to say." if n == 0 or (n == 1 and not attempt) else f"Fine. Rating: [[{n % 10 + 1}]]"

    with ScriptedEndpoint(script) as judge:
        found = hornbook(
            *items(evaluations, "mt_bench"), "--by", judge.by, "--judge", "mt_bench", "--attempts", "1",
            "--out", str(evaluations),
        )  # fmt: skip
    assert found.returncode == 0, found.stderr
    scores = results(evaluations, "mt_bench by scripted on mt_bench")
    wanted = [n % 10 + 1 for n in range(ROWS) if n not in (0, 2)]
    assert scores["score"]["value"] == pytest.approx(sum(wanted) / len(wanted))
    assert scores["replies"] == {"no verdict in the reply": 1, "no reply": 1, "asked twice": 2}
    assert "2 left out, not scored: 1 times no verdict in the reply, 1 times no reply" in found.stdout
    assert scores["differences"]["chat"]["sentence"].startswith("no difference between chat and tiny")
    page = (evaluations / "report.html").read_text(encoding="utf-8")
    assert "Judged: mt_bench by scripted on mt_bench" in page
    assert "alpaca_eval" in page  # the benchmarks stand in the same report


def test_two_models_side_by_side_in_both_orders(evaluations: Path) -> None:
    ours_first = is_first(evaluations, "mt_bench")

    def script(text: str, _: int) -> str:
        n, (ours, theirs) = number(text), ("AB" if ours_first(text) else "BA")
        return f"[[{('A', theirs, ours, 'C')[n % 4]}]]"  # every fourth time it likes the first place

    with ScriptedEndpoint(script) as judge:
        found = hornbook(
            *items(evaluations, "mt_bench"), "--by", judge.by, "--judge", "pairwise", "--out", str(evaluations)
        )
    assert found.returncode == 0, found.stderr
    came = results(evaluations, "pairwise by scripted on mt_bench, against chat")
    assert (came["won"], came["tied"], came["lost"]) == (3, 6, 3)
    assert (came["position_bias"]["value"], came["position_bias"]["first"]) == (0.25, 3)
    assert "3 won, 6 tied, 3 lost against chat: this can be luck" in found.stdout
    assert "the verdict turned with the order of the answers in 25% of 12 pairs (3 times it liked the" in found.stdout


def test_a_win_rate_from_probabilities_with_control_for_length(evaluations: Path) -> None:
    ours_first = is_first(evaluations, "alpaca_eval")

    def script(text: str, _: int) -> Reply:
        share = 0.9 if number(text) == 0 else 0.8 if ours_first(text) else 0.2  # of the answer that is shown first
        return Reply("A", {"A": math.log(share), "B": math.log(1 - share)})

    with ScriptedEndpoint(script) as judge:
        found = hornbook(
            *items(evaluations, "alpaca_eval"), "--by", judge.by, "--judge", "alpaca", "--out", str(evaluations)
        )
    assert found.returncode == 0, found.stderr
    came = results(evaluations, "alpaca by scripted on alpaca_eval, against chat")
    assert came["win"]["value"] == pytest.approx((11 * 0.8 + 0.5) / 12)
    low, high = came["length_controlled"]["interval"]
    assert low < came["length_controlled"]["value"] < high
    assert came["length_controlled"]["value"] == pytest.approx(came["win"]["value"], abs=0.03)  # lengths are alike
    assert came["position_bias"]["value"] == pytest.approx(1 / 12)
    assert "win rate at equal length: 7" in found.stdout


def test_a_judge_that_ends_at_once_is_one_clear_sentence(tmp_path: Path) -> None:
    judge_that_says("").save(tmp_path / "judge")
    answers = tmp_path / "mine.jsonl"
    answers.write_text('{"question": "2+2?", "answer": "4"}\n', encoding="utf-8")
    serving = Serving(f"silent={tmp_path / 'judge'}")
    found = hornbook(str(answers), "--by", f"{serving.url}#silent", "--out", str(tmp_path / "out"))
    serving.stop()
    assert found.returncode == 2
    assert found.stderr.strip() == (
        "error: score by silent: every reply is empty (1), the judge ends its answer at once; see that it is made for "
        "conversations and has its own chat template, or name another with --by"
    )
