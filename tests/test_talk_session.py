"""The commands of a conversation, and what happens when it outgrows the model's window."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.talk_session import COMMANDS, Leave, Session
from hornbook.tune.template import renderer_of


@pytest.fixture
def session(tiny_base: Path) -> Session:
    lm = LanguageModel.load(tiny_base)
    lm.renderer = renderer_of(lm, "chatml")
    return Session(lm, {"max_new_tokens": 6, "temperature": 0.7, "seed": 1})


def asked(session: Session, text: str) -> str:
    session.say(text)
    return "".join(session.answer())


def test_questions_answers_undo_again(session: Session) -> None:
    first = asked(session, "A fox?")
    asked(session, "A wolf?")
    assert [message["role"] for message in session.messages] == ["user", "assistant"] * 2
    assert session.messages[1]["content"] == (first or " ")
    assert session.command("/undo") == "taken back: A wolf?"
    assert len(session.messages) == 2
    assert session.command("/again") is None
    assert session.messages == [{"role": "user", "content": "A fox?"}]
    assert "".join(session.answer()) != first  # another seed
    assert "tokens in" in str(session.command("/stats"))
    session.command("/new")
    with pytest.raises(UserError, match="nothing was asked yet"):
        session.command("/undo")


def test_settings_are_changed_and_checked(session: Session) -> None:
    assert session.command("/set temperature 0") == "max_new_tokens 6, seed 1, temperature 0.0"
    assert asked(session, "A fox?") == asked(Session(session.lm, session.settings), "A fox?")
    assert session.command("/set top_k 5")
    assert session.command("/set top_k off") == "max_new_tokens 6, seed 1, temperature 0.0"
    for wrong, said in {
        "/set heat 3": "is no setting; take one of max_new_tokens, temperature",
        "/set temperature warm": "give a number, or off",
        "/set top_p 2": "is not a share",
        "/set max_new_tokens 0": "writes nothing",
        "/dance": "is no command; /help names them",
        "/save": "name a file",
        "/load nowhere.jsonl": "no file that can be read",
    }.items():
        with pytest.raises(UserError, match=said):
            session.command(wrong)
    assert session.settings == {"max_new_tokens": 6, "seed": 1, "temperature": 0.0}


def test_the_system_message_stands_first_and_goes(session: Session) -> None:
    asked(session, "A fox?")
    session.command("/system Be brief.")
    session.command("/system Be very brief.")
    assert [message["role"] for message in session.messages] == ["system", "user", "assistant"]
    assert session.messages[0]["content"] == "Be very brief."
    session.command("/system")
    assert session.messages[0]["role"] == "user"


def test_what_is_saved_is_loaded(session: Session, tmp_path: Path) -> None:
    asked(session, "狐狸?")
    kept = list(session.messages)
    assert session.command(f"/save {tmp_path / 'talk.jsonl'}") == f"2 messages in {tmp_path / 'talk.jsonl'}"
    session.command("/new")
    session.command(f"/load {tmp_path / 'talk.jsonl'}")
    assert session.messages == kept
    (tmp_path / "bad.jsonl").write_text('{"role": "user", "content": "a"}\n{"role": "user"}\n')
    with pytest.raises(UserError, match=r"bad.jsonl:2: is no message"):
        session.command(f"/load {tmp_path / 'bad.jsonl'}")
    assert session.messages == kept


def test_the_oldest_leave_when_the_window_is_full(session: Session) -> None:
    session.command("/system Be brief.")
    for number in range(12):
        session.say(f"The small red fox number {number}?")
        gone = session.make_room()
        "".join(session.answer())
    assert gone == 2
    assert session.messages[0]["role"] == "system"
    assert session.messages[-2]["content"] == "The small red fox number 11?"
    assert 3 < len(session.messages) < 20


def test_leaving_and_help(session: Session) -> None:
    with pytest.raises(Leave):
        session.command("/quit")
    said = str(session.command("/help"))
    assert all(name in said for name in COMMANDS)
