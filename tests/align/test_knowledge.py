"""What a model knows, with models whose knowledge is planted: each question comes to the category it was made for."""

import random
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hornbook.align.knowledge import KINDS, Exam, Examiner, Fact, Facts, facts, plain, report, right
from hornbook.core.errors import UserError

EXAM = Exam(sets=6, examples=2, samples=8)


class Planted:
    """Right greedily behind some sets of examples, and with a chance when it samples, as the question's letter says."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def generate(self, prompt: list[str], **options: Any) -> list[str]:
        draws = random.Random(options.get("seed"))
        assert options["stop"] == ["\n"]
        return [self._answer(each, options["temperature"], draws) for each in prompt]

    def _answer(self, prompt: str, temperature: float, draws: random.Random) -> str:
        self.asked.append((prompt, temperature))
        kind, number = re.findall(r"Q: (\w)(\d+)\?", prompt)[-1]
        if temperature == 0:
            knows = kind == "h" or (kind == "m" and zlib.crc32(prompt.encode()) % 2)
        else:
            knows = kind == "w" and draws.random() < 0.2
        return f" The answer-{number}." if knows else " nobody knows"


def made(kinds: str, each: int = 8) -> list[Fact]:
    """`each` questions of each kind; some with longer numbers."""
    return [
        Fact(f"f:{kind}{n}", f"{kind}{n}?", (f"answer {n}", f"Answer No. {n}"))
        for kind in kinds
        for n in (*range(each - 3), 100, 1000, 10000)
    ]


def test_each_planted_question_is_of_the_kind_it_was_made_for() -> None:
    given = made("hmwu")
    known = Examiner(Planted(), given, EXAM, seed=0).examine(given)
    kinds = {fact.question[0]: set() for fact in given}  # type: ignore[var-annotated]
    for fact, each in zip(given, known, strict=True):
        assert each.id == fact.id
        kinds[fact.question[0]].add(each.kind)
    assert kinds["h"] == {"highly known"}
    assert kinds["m"] <= {"maybe known", "highly known", "unknown"}
    assert "maybe known" in kinds["m"]
    assert kinds["w"] == {"weakly known"}
    assert kinds["u"] == {"unknown"}
    assert all((each.sampled is None) == (each.greedy > 0) for each in known)
    assert 0.05 < sum(each.sampled or 0 for each in known if each.kind == "weakly known") / 8 < 0.4


def test_a_question_is_asked_behind_other_questions_and_never_behind_itself() -> None:
    given = [*made("hu"), Fact("again", "h0?", ("answer 0",))]
    model = Planted()
    Examiner(model, given, EXAM, seed=0).examine(given[:1])
    assert len(model.asked) == EXAM.sets
    assert len({prompt for prompt, _ in model.asked}) > 1
    for prompt, _ in model.asked:
        *shown, last = re.findall(r"Q: (\w+)\?", prompt)
        assert (last, len(shown), last in shown) == ("h0", 2, False)
        assert prompt.endswith("Q: h0?\nA:")


def test_examples_are_of_the_same_relation_where_there_are_enough() -> None:
    given = [Fact(str(n), f"{'ab'[n % 2]}{n}?", ("x",), relation="ab"[n % 2]) for n in range(12)]
    lonely = Fact("c", "c0?", ("x",), relation="c")
    examiner = Examiner(Planted(), [*given, lonely], EXAM, seed=0)
    assert {kind for prompt in examiner.prompts(given[0]) for kind in re.findall(r"Q: (\w)", prompt)} == {"a"}
    assert {kind for prompt in examiner.prompts(lonely) for kind in re.findall(r"Q: (\w)", prompt)} == {"a", "b", "c"}


def test_what_is_unknown_costs_samples_and_what_is_known_none() -> None:
    counts = {}
    for kind in "hu":
        model, given = Planted(), made(kind)
        Examiner(model, given, EXAM, seed=0).examine(given)
        counts[kind] = len(model.asked)
    assert counts == {"h": 8 * 6, "u": 8 * 6 * (1 + 8)}


def test_the_same_seed_asks_the_same() -> None:
    given = made("w")
    one, other = (Examiner(Planted(), given, EXAM, seed=3).examine(given) for _ in range(2))
    assert one == other
    prompts: Sequence[str] = Examiner(Planted(), given, EXAM, seed=4).prompts(given[0])
    assert prompts != Examiner(Planted(), given, EXAM, seed=3).prompts(given[0])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("Paris", True), (" the PARIS.", True), ("Paris, France", False), ("", False), ("City of Light", True)],
)
def test_an_answer_is_right_in_any_dress(answer: str, expected: bool) -> None:
    assert right(answer, Fact("a", "?", ("Paris", "the City of Light"))) is expected
    assert plain("\uff30aris\uff0c") == "paris"  # fullwidth


def test_rows_become_facts_or_say_why_not(tmp_path: Path) -> None:
    row = {"id": "a:1", "prompt": "Q?", "completion": "A", "relation": 31}
    columns = {"question": "prompt", "answer": "completion"}
    assert facts(row, columns=columns) == Fact("a:1", "Q?", ("A",), "31")
    for bad, said in (
        ("...", "answer is a text without a word"),
        ([], "answer is a list without"),
        (4, "a number, not"),
    ):
        with pytest.raises(UserError, match=f"^a:1: answer is .*{said.removeprefix('answer is ')}"):
            facts({**row, "completion": bad}, columns=columns)
    (path := tmp_path / "a.csv").write_text("question,answer\nq1,a\nq2,b\n")
    assert [each["question"] for each in Facts(source=str(path)).build().train] == ["q1"]


def test_too_few_rows_for_the_examples_are_refused() -> None:
    with pytest.raises(UserError, match="2 worked examples before each question want more than 2 rows"):
        Examiner(Planted(), made("h")[:2], EXAM, seed=0)
    with pytest.raises(ValueError, match="give 1 or more of each"):
        Exam(sets=0)
    with pytest.raises(ValueError, match="temperature: 0 draws nothing"):
        Exam(temperature=0)


def test_the_report_counts_every_kind() -> None:
    given = made("hu")
    lines = report(Examiner(Planted(), given, EXAM, seed=0).examine(given)).splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == list(KINDS)
    assert "8   50.0 %" in lines[0]
