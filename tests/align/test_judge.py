"""Both orders, the mean, the clamp; a judge that likes one letter is found out."""

import pytest

from hornbook.align.judge import CLAMP, Pair, Thought, broken, compare
from hornbook.align.rules import Rule
from hornbook.align.words import Words
from hornbook.corpus.synthetic import Sampling
from tests.align.scripted import Scripted

RULE = Rule(name="kind", choose="Which is kinder?", question="Is it unkind?")
PROMPT = [{"role": "user", "content": "Hello?"}]
PAIRS = [Pair(PROMPT, "good", "bad", RULE), Pair(PROMPT, "bad", "good", RULE)]


def sees(talk, begun, option):
    """Three to one for the good answer, and twice as likely to say A."""
    text = talk[0]["content"]
    good = "A" if text.index("good") < text.index("bad") else "B"
    return (3.0 if option == good else 1.0) * (2.0 if option == "A" else 1.0)


def test_the_mean_of_both_orders() -> None:
    one, other = compare(Scripted(leans=sees), PAIRS, Words())
    assert one == pytest.approx((6 / 7 + 3 / 5) / 2)
    assert other == pytest.approx(1 - one)


def test_a_judge_that_likes_a_letter_prefers_nothing() -> None:
    found = compare(Scripted(leans=lambda talk, begun, option: 9.0 if option == "A" else 1.0), PAIRS, Words())
    assert found == pytest.approx([0.5, 0.5])


def test_the_question_is_the_papers() -> None:
    heard = []
    compare(
        Scripted(leans=lambda talk, begun, option: heard.append((talk[0]["content"], begun)) or 1.0), PAIRS[:1], Words()
    )
    text, begun = heard[0]
    assert text == (
        "Consider the following conversation between a human and an assistant:\nHuman: Hello?\n\nWhich is kinder?\n\n"
        "Options:\n(A) good\n(B) bad"
    )
    assert begun == "The answer is: ("


def test_a_judge_that_thinks_is_clamped() -> None:
    heard = []

    def sure(talk, begun, option):
        heard.append(begun)
        return sees(talk, begun, option) ** 9

    thought = Thought(Sampling(temperature=1.0))
    found = compare(Scripted(lambda talk, seed, voice: "Hm.", sure), PAIRS, Words(), thought=thought)
    assert found == [CLAMP[1], CLAMP[0]]
    assert heard[0] == "Let's think step by step: Hm.\n\nThe answer is: ("


def test_yes_or_no_and_nothing_said() -> None:
    answered = [(PROMPT, "good"), (PROMPT, "bad")]

    def leans(talk, begun, option):
        return 1.0 if ("bad" in talk[0]["content"]) == (option == " yes") else 0.25

    assert broken(Scripted(leans=leans), answered, RULE, Words()) == [0.2, 0.8]
    assert broken(Scripted(leans=lambda *_: 0.0), answered, RULE, Words()) == [None, None]
    assert compare(Scripted(leans=lambda *_: 0.0), PAIRS, Words()) == [None, None]
