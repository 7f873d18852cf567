"""What is remembered is in the file, and found again by another process's notebook."""

from pathlib import Path

import pytest

from hornbook.align.memory import Memory
from hornbook.corpus.synthetic import Sampling
from tests.align.scripted import Scripted

HOW = Sampling(temperature=0.0)


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_facts_are_written_once_and_found_by_their_words(tmp_path: Path) -> None:
    config = Memory(file=str(tmp_path / "memory.jsonl"))
    speaker = Scripted(lambda talk, seed, voice: "- The user likes tea.\n- The user's name is 李雷.\n")
    assert config.build().remember(speaker, user("I am 李雷 and like tea."), HOW) == [
        "The user likes tea.",
        "The user's name is 李雷.",
    ]
    assert "I am 李雷 and like tea." in speaker.heard[0][0][0]["content"]
    later = config.build()  # another session
    assert later.remember(speaker, user("Tea again."), HOW) == []
    assert later.recall(user("What is my name?")) == "What is known about the user: The user's name is 李雷."
    assert later.recall(user("Where is Lyon?")) is None
    assert len((tmp_path / "memory.jsonl").read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("said", ["nothing", "Nothing.", "", None, "\n"])
def test_nothing_is_nothing(tmp_path: Path, said: str | None) -> None:
    notebook = Memory(file=str(tmp_path / "memory.jsonl")).build()
    assert notebook.remember(Scripted(lambda *_: said), user("Hello."), HOW) == []
    assert notebook.recall(user("Hello.")) is None


def test_a_line_that_a_kill_cut_short_is_forgiven(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    path.write_text('{"fact": "The user likes tea.", "said": "", "at": "2026"}\n{"fact": "The us')
    assert Memory(file=str(path)).build().recall(user("tea?")) == "What is known about the user: The user likes tea."


@pytest.mark.parametrize("changes", [{"request": "Who?"}, {"known": "Known."}])
def test_a_text_without_its_blank_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="needs"):
        Memory(**changes)
