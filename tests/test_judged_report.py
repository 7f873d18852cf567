"""What a report says of judges: sentences for what a number alone would hide."""

from pathlib import Path
from typing import Any

from hornbook.evaluate import verdicts
from hornbook.evaluate.task import Outcome
from hornbook.judged_report import main, sections, sentences

SCORE = {"value": 3.5, "standard_error": 0.5, "interval": [2.5, 4.5], "of": 8}


def said(**each: Any) -> str:
    return " | ".join(sentences(each))


def test_a_section_for_every_judge(tmp_path: Path) -> None:
    turns = [{"question": "Why <b>?", "answer": "So.", "reference": ""}]
    outcome = Outcome("q1", "", {"score": 2.0}, {"turns": turns, "words": "It is short. [RESULT] 2"})
    verdicts.write(tmp_path, "rubric by x", [outcome], {})
    found = {"m": {"tasks": {}, "judged": {"rubric by x": {"scale": [1, 5], "score": SCORE}}}, "n": {"tasks": {}}}
    [section] = sections(found, {"m": tmp_path, "n": tmp_path})
    page = "".join(section.parts)
    assert section.title == "Judged: rubric by x"
    assert "m: mean score 3.5 (2.5 to 4.5), of 8 answers" in page
    assert "It is short. [RESULT] 2" in page
    assert "Why &lt;b&gt;?" in page
    assert sections({"n": {"tasks": {}}}, {}) == []


def test_a_judge_that_said_nothing_has_a_section_without_a_chart(tmp_path: Path) -> None:
    verdicts.write(tmp_path, "score by x", [], {})
    found = {
        "m": {"tasks": {}, "judged": {"score by x": {"scale": [0, 100], "left_out": 2, "replies": {"no reply": 2}}}}
    }
    [section] = sections(found, {"m": tmp_path})
    assert "2 left out, not scored: 2 times no reply" in "".join(section.parts)
    assert main(found["m"]["judged"]["score by x"]) is None  # type: ignore[index]


def test_subjects_are_drawn(tmp_path: Path) -> None:
    verdicts.write(tmp_path, "score by x", [], {})
    subjects = {name: {"score": {**SCORE, "value": value}} for name, value in (("math", 2.0), ("law", 4.0))}
    found = {"m": {"tasks": {}, "judged": {"score by x": {"scale": [1, 5], "score": SCORE, "subjects": subjects}}}}
    [section] = sections(found, {"m": tmp_path})
    assert "Best at law, worst at math" in "".join(section.parts)


def test_sentences() -> None:
    assert said(won=9, tied=1, lost=0, chance=0.004, against="n") == (
        "9 won, 1 tied, 0 lost against n: this is a difference (p 0.004, sign test on wins and losses)"
    )
    bias = {"value": 0.25, "interval": [0.1, 0.4], "of": 40, "first": 8, "second": 2}
    assert "turned with the order of the answers in 25% of 40 pairs (8 times it liked the first" in said(
        position_bias=bias
    )
    controlled = {"value": 0.4, "interval": [0.3, 0.5], "length": 1.0, "of": 9}
    assert said(length_controlled=controlled) == "win rate at equal length: 40.0% (30.0% to 50.0%)"
    assert said(left_out=2, empty=3, replies={"no reply": 1, "no verdict in the reply": 1, "asked twice": 5}) == (
        "5 replies had no verdict and were asked for a second time | "
        "2 left out, not scored: 1 times no reply, 1 times no verdict in the reply | "
        "3 empty answers, scored as the worst there is without asking"
    )
    assert said(faults={"HTTP 503": 2, "slow": 1}) == "while asking: 2 times HTTP 503, 1 times slow"
    people = {"of": 20, "same": {"value": 0.8, "interval": [0.58, 0.92]}, "cohen": 0.6, "among_people": 0.55}
    assert said(people=people) == (
        "agrees with people on 80% of 20 (58% to 92%), Cohen's kappa 0.60; among people alpha 0.55"
    )
    ranks = {"of": 20, "spearman": 0.7, "kendall": None, "among_people": None}
    assert said(people=ranks) == "with people's scores of 20 answers: Spearman 0.70"
