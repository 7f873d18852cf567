import random

import pytest

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.corpus.magpie import NO_ANSWER, Magpie
from hornbook.corpus.synthetic import Round, Sampling
from tests.corpus.scripted import Scripted


class Talker(Scripted):
    def user_turns(self, count: int, sampling: Sampling) -> list[str | None]:
        return ["How do birds fly south?", " ", None, "word " * 400, "how do birds fly south", "Name a river in Asia."]

    def answers(self, questions, sampling):
        assert sampling.temperature == 0
        return ["They follow the stars.", None]


def test_turns_are_kept_once_and_answered() -> None:
    done = Round(0)
    Magpie(requests=6).build().ask(done, Talker(), random.Random(0))
    assert [(row.instruction, row.input, row.output) for row in done.rows] == [
        ("How do birds fly south?", "", "They follow the stars.")
    ]
    assert [drop["reason"] for drop in done.dropped] == [
        "nothing said",
        "nothing said",
        "too long",
        "like an earlier instruction",
        "no answer",
    ]


@pytest.mark.parametrize("field", ["threshold", "requests", "most_words"])
def test_values_that_leave_nothing_are_refused(field: str) -> None:
    with pytest.raises(RecipeError, match=f"{field}: 0"):
        recipe.parse(Magpie, {field: 0})


def test_a_turn_without_an_answer_is_not_asked_again_after_a_kill() -> None:
    listener = Magpie().build()
    listener.learn(Round(0, [], [{"text": "Name a river in Asia.", "reason": NO_ANSWER}]))
    assert listener.novelty.like("name a river in asia") == (0, 1.0)
