"""Multiple choice judged by hand, and rows that cannot be asked."""

import math

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate.benchmark import Benchmark
from hornbook.evaluate.choice import ContextChoice, ManyTrue, MultipleChoice
from hornbook.evaluate.request import Continuation, Scored
from hornbook.evaluate.task import Item

DATA = Benchmark(files=("x",))
PLAIN = MultipleChoice(
    data=DATA, prompt="{{q}}", choices="{{c}}", answer="{{a}}", metrics=("acc", "acc_norm", "acc_bytes")
)


def scored(*likely: float) -> list[Scored]:
    return [Scored(each, False, 1, 1) for each in likely]


def item(task: MultipleChoice, row: dict[str, object]) -> Item:
    row = {"id": "r:1", **row}
    return Item("r:1", "", task.requests(row, "before "), row)


def test_each_metric_takes_another_best() -> None:
    one = item(PLAIN, {"q": "?", "c": ["ab", "abcdefgh", "好好好好"], "a": 2})
    assert [request.continuation for request in one.requests] == [" ab", " abcdefgh", " 好好好好"]  # type: ignore[union-attr]
    assert {request.context for request in one.requests} == {"before ?"}  # type: ignore[union-attr]
    # per character -1, -0.5, -0.9; per byte -1, -0.5, -0.3
    outcome = PLAIN.judge(one, scored(-2.0, -4.0, -3.6))
    assert outcome.metrics == {"acc": 0.0, "acc_norm": 0.0, "acc_bytes": 1.0}
    assert outcome.detail["share"] == pytest.approx(math.exp(-2) / (math.exp(-2) + math.exp(-4) + math.exp(-3.6)))


def test_of_equals_the_first_is_taken() -> None:
    one = item(PLAIN, {"q": "?", "c": ["a", "b"], "a": 0})
    assert PLAIN.judge(one, scored(-1.0, -1.0)).metrics["acc"] == 1.0


def test_an_example_shows_the_right_answer() -> None:
    assert PLAIN.example({"id": "r", "q": "1 + 1 =", "c": ["3", "2"], "a": "2"}) == "1 + 1 = 2"


def test_beginnings_to_choose_from() -> None:
    task = ContextChoice(data=DATA, prompt="{{q}}", choices="{{c}}", answer="{{a}}")
    one = item(task, {"q": "ran.", "c": ["The dog", "The cup"], "a": 0})
    assert one.requests == (Continuation("before The dog", " ran."), Continuation("before The cup", " ran."))
    assert task.judge(one, scored(-1.0, -3.0)).metrics == {"acc": 1.0}
    assert task.example(one.row) == "The dog ran."


def test_the_share_of_what_is_true() -> None:
    task = ManyTrue(data=DATA, prompt="{{q}}", choices="{{c}}", answer="{{a}}")
    one = item(task, {"q": "?", "c": ["a", "b", "c"], "a": [1, 0, 1]})
    odds = [math.exp(-1), math.exp(-2), math.exp(-3)]
    assert task.judge(one, scored(-1, -2, -3)).metrics["mc2"] == pytest.approx((odds[0] + odds[2]) / sum(odds))
    with pytest.raises(UserError, match=r"r:1: 3 choices and .* give one for each"):
        task.judge(item(task, {"q": "?", "c": ["a", "b", "c"], "a": [1]}), scored(-1, -2, -3))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"c": ["a"], "a": 0}, "give a list of two texts or more"),
        ({"c": ["a", 2], "a": 0}, "give a list of two texts or more"),
        ({"c": ["a", "b"], "a": None}, "the answer None is none of its 2 choices"),
        ({"c": ["a", "b"], "a": 2}, "the answer 2 is none of its 2 choices"),
        ({"c": ["a", "b"], "a": "c"}, "the answer 'c' is none of its 2 choices"),
    ],
)
def test_a_row_without_a_key_is_told_by_its_place(row: dict[str, object], sentence: str) -> None:
    one = {"id": "file.jsonl:7", "q": "?", **row}
    with pytest.raises(UserError, match=f"file.jsonl:7: .*{sentence}"):
        PLAIN.judge(Item("file.jsonl:7", "", PLAIN.requests(one, ""), one), scored(-1, -2))
