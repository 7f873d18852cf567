"""Wrong answers in the report."""

from hornbook import scored_written
from hornbook.evaluate.task import Outcome


def test_a_wrong_answer_is_shown_with_prompt_and_reason() -> None:
    detail = {"prompt": "Q: 2 + 2?", "written": "five", "found": {"strict": None, "flexible": "5"}, "answer": "4"}
    wrong = Outcome("a.jsonl:1", "", {"strict": 0.0, "flexible": 0.0}, detail)
    right = Outcome("a.jsonl:2", "", {"strict": 1.0, "flexible": 1.0}, detail)
    (shown,) = scored_written.wrong([wrong, right])
    assert "1 of 1 wrong answers, of 2" in shown
    assert "<b>Q: 2 + 2?</b>five" in shown
    assert scored_written.why(wrong) == "right is '4'; strict finds nothing, flexible finds '5'"
    assert scored_written.wrong([right]) == [""]


def test_answers_without_a_score_are_not_wrong() -> None:
    assert scored_written.wrong([Outcome("1", "", {"rep4": 0.0, "words": 3.0}, {"written": "x"})]) == []
    assert scored_written.unscored({"words": {}})
