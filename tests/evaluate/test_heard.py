"""Replies are kept, asked for once more where they cannot be read, and never made up."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate.cache import Cache
from hornbook.evaluate.heard import EMPTY, UNANSWERED, UNREAD, Ear, Spoken, left_out, require_some
from hornbook.generate.question import Reply
from tests.evaluate.scripted_judge import Script, ScriptedJudge

JUDGE = Spoken(prompt="Rate {{word}}")
WORDS = ["good", "bad", "odd"]
ASKED = [JUDGE.question({"id": "r", "word": word}) for word in WORDS]


def number(reply: Reply) -> int | None:
    return int(reply.text) if reply.text.isdigit() else None


def ear(script: Script, folder: Path) -> Ear:
    return Ear(ScriptedJudge(script), Cache(folder, "judge"))


def test_what_cannot_be_read_is_asked_once_more_with_another_seed(tmp_path: Path) -> None:
    listening = ear(lambda text, attempt: "well ..." if "bad" in text and not attempt else "7", tmp_path)
    heard = listening.hear(ASKED, number)
    assert [each.verdict for each in heard] == [7, 7, 7]
    assert [each.tries for each in heard] == [1, 2, 1]
    assert left_out(heard) == {"asked twice": 1}
    *_, last = listening.judge.asked  # type: ignore[attr-defined]
    assert len(listening.judge.asked) == 4  # type: ignore[attr-defined]
    assert last.temperature > 0
    assert last.seed != ASKED[1].seed


def test_what_still_cannot_be_read_has_no_score_and_is_counted(tmp_path: Path) -> None:
    heard = ear(lambda text, _: "I would rather not." if "bad" in text else "7", tmp_path).hear(ASKED, number)
    assert [each.verdict for each in heard] == [7, None, 7]
    assert heard[1].left_out == UNREAD
    assert heard[1].words == "I would rather not."
    assert left_out(heard) == {UNREAD: 1, "asked twice": 1}


def test_no_reply_is_another_thing_and_is_asked_again_by_the_next_command(tmp_path: Path) -> None:
    heard = ear(lambda text, _: None if "odd" in text else "7", tmp_path).hear(ASKED, number)
    assert heard[2].left_out == UNANSWERED
    later = ear(lambda *_: "8", tmp_path)
    assert [each.verdict for each in later.hear(ASKED, number)] == [7, 7, 8]
    assert len(later.judge.asked) == 1  # type: ignore[attr-defined]


def test_what_was_said_before_a_failure_stays(tmp_path: Path) -> None:
    def breaks(text: str, _: int) -> str:
        if "odd" in text:
            raise UserError("down")
        return "7"

    with pytest.raises(UserError, match="down"):
        ear(breaks, tmp_path).hear(ASKED, number)
    later = ear(lambda *_: "8", tmp_path)
    assert [each.verdict for each in later.hear(ASKED, number)] == [7, 7, 8]


def test_the_same_question_is_asked_once(tmp_path: Path) -> None:
    listening = ear(lambda *_: "7", tmp_path)
    assert [each.verdict for each in listening.hear([ASKED[0]] * 3, number)] == [7, 7, 7]
    assert len(listening.judge.asked) == 1  # type: ignore[attr-defined]


def test_progress_counts_what_was_known(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    ear(lambda *_: "7", tmp_path).hear(ASKED[:1], number)
    listening = Ear(ScriptedJudge(lambda *_: "7"), Cache(tmp_path, "judge"), lambda *each: told.append(each))
    listening.hear(ASKED, number)
    assert told == [(2, 3), (3, 3)]


def test_a_judge_that_says_nothing_of_use_is_refused_in_a_sentence(tmp_path: Path) -> None:
    heard = ear(lambda *_: "As a language model, I cannot.", tmp_path).hear(ASKED, number)
    with pytest.raises(UserError, match=r"score by x: none of 3 replies has a verdict \(it said 'As a language"):
        require_some(heard, "score by x")
    require_some([], "score by x")


def test_a_judge_must_be_allowed_to_speak() -> None:
    with pytest.raises(ValueError, match="lets the judge say nothing"):
        Spoken(prompt="x", max_new_tokens=0)


def test_empty_replies_are_asked_again_and_told_apart(tmp_path: Path) -> None:
    heard = ear(lambda text, _: " \n" if "odd" in text else "7", tmp_path).hear(ASKED, number)
    assert left_out(heard) == {EMPTY: 1, "asked twice": 1}
    silent = ear(lambda *_: "", tmp_path / "silent").hear(ASKED, number)
    with pytest.raises(UserError, match=r"x: every reply is empty \(3\), the judge ends its answer at once"):
        require_some(silent, "x")
