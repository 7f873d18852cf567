"""What a user thinks becomes rows that the later stages read."""

from pathlib import Path

from hornbook.align.feedback import CONVERSATIONS, JUDGED, PREFERENCES, Feedback
from hornbook.data import rows
from hornbook.data.conversations import conversations
from hornbook.data.preferences import preferences

TALK = [{"role": "user", "content": "Hello?"}]


def test_the_rows_are_those_of_the_stages(tmp_path: Path) -> None:
    given = Feedback(tmp_path)
    given.good(TALK, "Good day!")
    given.bad(TALK, "Go away.", "rude")
    given.better(TALK, "Go away.", "您好！")  # noqa: RUF001
    judged = [preferences(row) for row in rows.read(tmp_path / JUDGED)]
    assert [(row["completion"], row["label"]) for row in judged] == [("Good day!", True), ("Go away.", False)]
    talks = [conversations(row)["messages"] for row in rows.read(tmp_path / CONVERSATIONS)]
    assert [talk[-1]["content"] for talk in talks] == ["Good day!", "您好！"]  # noqa: RUF001
    (pair,) = [preferences(row) for row in rows.read(tmp_path / PREFERENCES)]
    assert (pair["prompt"], pair["chosen"], pair["rejected"]) == (TALK, "您好！", "Go away.")  # noqa: RUF001
    assert next(iter(rows.read(tmp_path / JUDGED)))["label"] is True
    assert [row.get("reason") for row in rows.read(tmp_path / JUDGED)] == [None, "rude"]


def test_the_same_answer_again_is_no_preference(tmp_path: Path) -> None:
    Feedback(tmp_path).better(TALK, "Hello.", "Hello.")
    assert not (tmp_path / PREFERENCES).exists()
