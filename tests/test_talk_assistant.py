"""What is shown and what is kept; whole sessions in processes of their own stand in align/test_planted.py."""

from pathlib import Path

import pytest

from hornbook import talk_assistant
from hornbook.align.assistant import Assistant, Reply
from hornbook.align.feedback import JUDGED, PREFERENCES, Feedback
from hornbook.align.search import Passage
from hornbook.cli import main
from hornbook.talk_assistant import Session, shown
from tests.align.scripted import Scripted
from tests.tiny_chat import chat_model


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    left = iter([*lines, None])
    monkeypatch.setattr(talk_assistant, "ask", lambda: next(left))


def test_an_answer_is_shown_with_what_stands_behind_it() -> None:
    reply = Reply(
        "It is 2.", (Passage("Tea\ngrows.", "a.txt:3"),), (("1+1", ["2"]), ("x", [])), (), ("The user is 7.",)
    )
    assert shown(reply).splitlines() == [
        "  [1+1 -> 2]",
        "  [x -> nothing]",
        "It is 2.",
        '  "Tea grows." (a.txt:3)',
        "  remembered: The user is 7.",
    ]


def test_what_the_user_thinks_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(
        monkeypatch, "/good", "hi", "/good", "/bad too short", "/better", "/better hello you", "/what", "/new", "/bad"
    )
    Session(Assistant().build(Scripted()), Feedback(tmp_path), 4).run()
    out = capsys.readouterr().out
    assert out.count("there is no answer yet") == 2
    assert out.count(f"kept in {tmp_path}") == 3
    assert "/better TEXT wants" in out
    assert "hi 5" in out
    assert len((tmp_path / JUDGED).read_text().splitlines()) == 2
    assert '"chosen": "hello you", "rejected": "hi 5"' in (tmp_path / PREFERENCES).read_text()


def test_without_a_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed(monkeypatch, "hi", "/good", "/quit", "never read")
    Session(Assistant().build(Scripted()), None, 0).run()
    out = capsys.readouterr().out
    assert "this assistant keeps no feedback" in out
    assert "never read" not in out


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    chat_model().save(tmp_path / "model")
    (tmp_path / "a.yaml").write_text("tools: [calculator]\nmanner: {max_new_tokens: 4}\n")
    typed(monkeypatch, "the cat", "the cat " * 60, "/quit")
    monkeypatch.setattr(
        "sys.argv", ["hornbook", "chat", str(tmp_path / "model"), "--assistant", str(tmp_path / "a.yaml")]
    )
    with pytest.raises(SystemExit, match="0"):
        main()
    out = capsys.readouterr().out
    assert "with calculator" in out
    assert "(the conversation starts anew)" in out
