"""LaMDA's loop, with a model that answers by rule; the planted model is asked in test_planted_assistant.py."""

from datetime import date
from pathlib import Path

from hornbook.align.tools import ROUNDS, Calculator, Lookup, Said, Today, asked, converse
from hornbook.corpus.synthetic import Sampling
from tests.align.scripted import Scripted

HOW = Sampling(temperature=0.0, seed=1)


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def says(talk, seed, voice):
    last = talk[-1]["content"]
    if last.startswith("TS:"):
        return f"User, it is {last.removeprefix('TS: ')}."
    return f"TS, {last}" if "+" in last else "User, hello."


def test_each_conversation_asks_for_itself() -> None:
    found = converse(Scripted(says), [user("135+7721"), user("hi"), user("1+1")], [Calculator()], HOW)
    assert found == [
        Said("it is 7856.", [("135+7721", ["7856"])]),
        Said("hello."),
        Said("it is 2.", [("1+1", ["2"])]),
    ]


def test_every_tool_sees_every_query_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1+1 and today are words of this text.")
    tools = [Calculator(), Today().build(lambda: date(2026, 1, 2)), Lookup(folder=str(tmp_path)).build()]

    def talkative(talk, seed, voice):
        return "TS, 1+1" if len(talk) == 1 else "TS, today" if len(talk) == 3 else "User, done."

    (said,) = converse(Scripted(talkative), [user("go")], tools, HOW)
    text = "1+1 and today are words of this text."
    assert said.calls == [("1+1", ["2", text]), ("today", ["2026-01-02", text])]


def test_who_asks_for_ever_is_stopped() -> None:
    speaker = Scripted(lambda talk, seed, voice: "TS, what?")
    (said,) = converse(speaker, [user("hi")], [Calculator()], HOW)
    assert said.text == ""
    assert said.calls == [("what?", [])] * ROUNDS
    assert speaker.heard[-1][0][-1]["content"] == "TS: nothing found"


def test_without_tools_a_query_is_an_answer_like_any_other() -> None:
    assert converse(Scripted(says), [user("1+1")], [], HOW)[0].text == "TS, 1+1"
    assert asked("User, TS, 1") is None
    assert asked("TS, 1+1\nUser, two") == "1+1"
