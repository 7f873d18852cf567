"""Numbers from replies: what is read, what is not, rubrics without a range, empty answers."""

from pathlib import Path

import pytest

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.evaluate import judge as judges
from hornbook.evaluate.answered import Answered, Turn
from hornbook.evaluate.cache import Cache
from hornbook.evaluate.grade import Rubric, Score, found_in, grade, number
from hornbook.evaluate.heard import Ear
from tests.evaluate.scripted_judge import ScriptedJudge

RIGHT = Answered("1", "f:1", (Turn("2+2?", "4", "4"),))
WRONG = Answered("2", "f:2", (Turn("2+3?", "four", "5"),))
EMPTY = Answered("3", "f:3", (Turn("2+4?", "", "6"),))


def judge(name: str) -> Score | Rubric:
    found = judges.load(name)
    assert isinstance(found, Score | Rubric)
    return found


@pytest.mark.parametrize(
    ("name", "reply", "score"),
    [
        ("score", "85", 85),
        ("score", " Score: 85/100.", 85),
        ("score", "**0**", 0),
        ("score", "100", 100),
        ("score", "101", None),
        ("score", "Between 60 and 80", None),
        ("score", "The answer has 3 errors.", None),
        ("score", "-5", None),
        ("score-zh", "得分：90分", 90),  # noqa: RUF001
        ("score-zh", "好", None),
        ("prometheus", "Feedback: right, with 1 slip. [RESULT] 4", 4),
        ("prometheus", "Feedback: right. [RESULT] (5)", 5),
        ("prometheus", "Feedback: right. 5", None),
        ("prometheus", "[RESULT] 6", None),
        ("prometheus", "[RESULT] 3 or [RESULT] 4", None),
        ("prometheus-zh", "评语：正确。[RESULT]（4）", 4),  # noqa: RUF001
        ("mt_bench", "It helps. Rating: [[7.5]]", 7.5),
        ("mt_bench", "Rating: 7", None),
        ("mt_bench", "[[0]]", None),
    ],
)
def test_a_score_is_read_or_there_is_none(name: str, reply: str, score: float | None) -> None:
    assert number(judge(name), reply) == score


def test_a_prompt_holds_question_answer_reference_and_rubric() -> None:
    rubric = judge("prometheus")
    asked = rubric.question(rubric.columns(WRONG)).talk[0]["content"]
    assert isinstance(rubric, Rubric)
    for part in ("2+3?", "four", "### Reference answer\n5", "[RESULT]", *rubric.levels):
        assert part in asked
    alone = Answered("2", "f:2", (Turn("2+3?", "four"),))
    assert "Reference" not in rubric.question(rubric.columns(alone)).talk[0]["content"]


def test_several_turns_stand_in_one_conversation() -> None:
    bench = judge("mt_bench")
    two = Answered("1", "f:1", (Turn("a?", "x"), Turn("b?", "y")))
    asked = bench.question(bench.columns(two)).talk[0]["content"]
    assert asked.index("a?") < asked.index("x\n") < asked.index("b?") < asked.index("y\n")
    assert "last answer" in asked


def test_an_empty_answer_has_the_lowest_score_and_is_not_asked_about(tmp_path: Path) -> None:
    scripted = ScriptedJudge(lambda text, _: "90" if "2+2" in text else "who knows")
    outcomes, heard = grade(Ear(scripted, Cache(tmp_path, "j")), judge("score"), [RIGHT, WRONG, EMPTY])
    assert [dict(one.metrics) for one in outcomes] == [{"score": 90.0}, {}, {"score": 0}]
    assert outcomes[1].detail["left_out"]
    assert outcomes[2].detail["empty"]
    assert len(heard) == 2
    assert not any("2+4" in question.talk[0]["content"] for question in scripted.asked)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{type: rubric, criterion: c, prompt: p, pattern: '(x)'}", "so there is no range of scores"),
        ("{type: rubric, criterion: c, prompt: p, pattern: '(x)', levels: [good]}", "levels: 1 given, so there is no"),
        ("{type: score, prompt: p, pattern: '(x)', high: 5}", "low: score needs this field"),
        ("{type: score, prompt: p, pattern: '(x)', low: 5, high: 5}", "low: 5 is not below high, 5"),
        ("{type: score, prompt: p, pattern: 'x', low: 1, high: 5}", "has 0 groups; put parentheses"),
        ("{type: score, prompt: p, pattern: '(', low: 1, high: 5}", "is no regular expression"),
    ],
)
def test_a_judge_that_cannot_be_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        recipe.load(judges.Judge, file)  # type: ignore[arg-type]
    assert sentence in str(caught.value)


def test_verdicts_that_differ_are_none() -> None:
    assert found_in(r"(\d)", "3, yes 3") == "3"
    assert found_in(r"(\d)", "3, no 4") is None
