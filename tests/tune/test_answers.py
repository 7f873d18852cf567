"""A teacher's answers become rows that a student can learn from; broken off, nothing is asked twice."""

import json
from pathlib import Path

import pytest

from hornbook.align import speaker as speakers
from hornbook.align.speaker import Manner
from hornbook.core.errors import UserError
from hornbook.data.conversations import Conversations, Prompts
from hornbook.tune.answers import Answers
from tests.tiny_chat import chat_model
from tests.tune.doubles import place_at


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("teacher")
    chat_model().save(path)
    return path


@pytest.fixture
def stage(tmp_path: Path) -> Answers:
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"the cat {number}"}) + "\n" for number in range(70)))
    return Answers(prompts=Prompts(source=str(path)), part="all", manner=Manner(max_new_tokens=6, temperature=0.0))


def test_the_rows_are_the_teachers_likeliest_answers(teacher: Path, stage: Answers, tmp_path: Path) -> None:
    place = place_at(tmp_path / "run", teacher)
    stage.make(place)
    rows = [json.loads(line) for line in place.run.rows.read_text().splitlines()]
    ledger = json.loads((place.run.folder / "ledger.json").read_text())
    assert ledger["rows"] == len(rows) == 70 - sum(ledger["dropped"].values())
    first = rows[0]["messages"]
    greedy = chat_model().chat(first[:1], max_new_tokens=6, temperature=0.0)
    assert first[-1] == {"role": "assistant", "content": greedy.strip()}
    assert rows[0]["provenance"]["source"].startswith("prompts.jsonl:")
    parts = Conversations(source=str(place.run.rows)).build()  # what `instruct` reads
    assert len(parts.train) + len(parts.validation) == len(rows)


def test_what_was_answered_is_not_asked_again(
    teacher: Path, stage: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken, asked = place_at(tmp_path / "whole", teacher), place_at(tmp_path / "broken", teacher), []
    stage.make(whole)
    answers = speakers.Local.answers

    def breaks(self, talks, sampling, **more):
        asked.append(talks)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return answers(self, talks, sampling, **more)

    monkeypatch.setattr(speakers.Local, "answers", breaks)
    with pytest.raises(KeyboardInterrupt):
        stage.make(broken)
    stage.make(broken)
    assert [len(talks) for talks in asked] == [32, 32, 32, 6]
    assert broken.run.rows.read_text() == whole.run.rows.read_text()


def test_a_teacher_that_says_nothing_is_said(
    teacher: Path, stage: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speakers.Local, "answers", lambda self, talks, sampling, **more: [" "] * len(talks))
    with pytest.raises(UserError, match="not one of 70 prompts has an answer"):
        stage.make(place_at(tmp_path / "run", teacher))
