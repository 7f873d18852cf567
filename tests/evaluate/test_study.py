"""The order of questions and the sides of answers: the same for a seed, balanced, and never the same twice in a row."""

from collections import Counter
from itertools import pairwise

from hornbook.evaluate.study import USUAL, Study


def study(models: str = "AB", prompts: int = 40, **more: object) -> Study:
    ids = [f"p:{number}" for number in range(prompts)]
    answers = {model: {id: f"{model} says {id}" for id in ids} for model in models}
    return Study(prompts={id: f"what is {id}?" for id in ids}, answers=answers, **more)  # type: ignore[arg-type]


def test_every_pair_is_asked_of_every_prompt_once() -> None:
    questions = study("ABC").questions()
    assert [question.number for question in questions] == [*range(120)]
    assert len({(question.id, question.models) for question in questions}) == 120
    assert Counter(question.models for question in questions) == {("A", "B"): 40, ("A", "C"): 40, ("B", "C"): 40}
    assert {question.id for question in questions[:40]} == {f"p:{number}" for number in range(40)}
    assert len({question.models for question in questions[:40]}) == 3


def test_a_model_stands_on_each_side_equally_often_at_any_time() -> None:
    for rater in ("Ann", "Bo", "陈"):
        sides = [*study().sides(rater).values()]
        for seen in range(0, 41, 4):
            assert sides[:seen].count("a") == seen // 2
    ab = [
        side for number, side in study("ABC").sides("Ann").items() if study("ABC").questions()[number].models[0] == "B"
    ]
    assert Counter(ab) == {"a": 20, "b": 20}


def test_sides_differ_between_raters_and_not_between_visits() -> None:
    assert study().sides("Ann") == study().sides("Ann")
    assert study().sides("Ann") != study().sides("Bo")
    assert study(seed=1).sides("Ann") != study().sides("Ann")
    assert study(seed=1).questions() != study().questions() == study().questions()


def test_sides_cannot_be_guessed_from_the_last_one() -> None:
    sides = [*study(prompts=400).sides("Ann").values()]
    same = sum(one == other for one, other in pairwise(sides)) / 399
    assert 0.3 < same < 0.55


def test_the_same_answers_are_not_asked_about() -> None:
    answers = {"A": {"1": "yes", "2": "no"}, "B": {"1": " yes\n", "2": "maybe"}}
    some = Study(prompts={"1": "?", "2": "!"}, answers=answers)
    assert [question.id for question in some.questions()] == ["2"]
    assert some.same_answers() == 1


def test_on_scales_every_answer_is_asked_by_itself() -> None:
    some = study(scales=USUAL)
    assert some.kind == "people_scales"
    assert Counter(question.models for question in some.questions()) == {("A",): 40, ("B",): 40}
    assert some.same_answers() == 0
