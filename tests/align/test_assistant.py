"""The parts in their order around a model that answers by rule."""

from pathlib import Path

import pytest

from hornbook.align.assistant import Assistant, Evidence
from hornbook.align.memory import Memory
from hornbook.align.rank import Sparrow
from hornbook.align.speaker import Manner
from hornbook.align.tools import Calculator
from tests.align.scripted import Scripted


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_a_bare_assistant_is_the_model() -> None:
    reply = Assistant(manner=Manner(max_new_tokens=5)).build(Scripted()).reply(user("hi"), seed=4)
    assert (reply.text, reply.evidence, reply.candidates) == ("hi 4", (), ())


def test_memory_evidence_and_instructions_stand_before_the_question(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("Tea comes from China.\n")
    memory = Memory(file=str(tmp_path / "m.jsonl"))
    speaker = Scripted(
        lambda talk, seed, voice: "The user likes tea." if "Write down" in talk[0]["content"] else "Yes."
    )
    config = Assistant(instructions="Be brief.", evidence=Evidence(folder=str(tmp_path / "texts")), memory=memory)
    first = config.build(speaker).reply(user("I like green things to drink."))
    assert (first.text, first.learned, first.evidence) == ("Yes.", ("The user likes tea.",), ())
    second = config.build(speaker).reply(user("Where does tea come from?"))
    asked = next(talk for talk, _ in reversed(speaker.heard) if talk[0]["role"] == "system")
    assert asked == [
        {"role": "system", "content": "Be brief.\n\nWhat is known about the user: The user likes tea."},
        {"role": "user", "content": "Tea comes from China.\n\nWhere does tea come from?"},
    ]
    assert [passage.place for passage in second.evidence] == ["a.txt:1"]
    assert second.learned == ()


def test_the_best_of_several_answers_is_given(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text('rules: [{name: calm, pattern: "!"}]')
    config = Assistant(rank=Sparrow(rules=str(path), samples=4), tools=(Calculator(),))

    def says(talk, seed, voice):
        if talk[-1]["content"] == "TS: 2":
            return "User, two."
        return "TS, 1+1" if seed == 12 else "Go away!"

    reply = config.build(Scripted(says)).reply(user("1+1?"), seed=10)
    assert (reply.text, reply.calls) == ("two.", (("1+1", ["2"]),))
    assert [(each.text, each.score) for each in reply.candidates] == [("two.", 0.5), ("Go away!", 0.0)]


def test_where_nothing_may_be_said_it_refuses() -> None:
    assert Assistant().build(Scripted(lambda *_: None)).reply(user("hi")).text == "I would rather not answer that."


def test_a_form_without_its_blank_is_refused() -> None:
    with pytest.raises(ValueError, match=r"form: needs \{passages\} and \{question\}"):
        Evidence(folder="x", form="{question}")
