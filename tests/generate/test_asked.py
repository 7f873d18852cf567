"""A model of this machine that is asked: with a chat template as a user asks, without one it goes on."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.synthetic import Sampling
from hornbook.generate.asked import Here, ModelFolder
from hornbook.generate.question import Question, Reply
from tests.tiny_chat import chat_model
from tests.tiny_judge import judge_that_says

GREEDY = Sampling(temperature=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    chat_model().save(path)
    return path


def test_the_users_turn_ends_where_the_template_ends_it(folder: Path) -> None:
    model = Here(ModelFolder(path=str(folder), max_new_tokens=24))
    turns = model.user_turns(8, Sampling(temperature=1.0, seed=0))
    assert len(turns) == 8
    assert not any("<|im_" in (turn or "") for turn in turns)
    assert len(model.answers(["a", "b"], GREEDY)) == 2


def test_without_a_template_it_goes_on_with_the_text(tmp_path: Path) -> None:
    lm = chat_model()
    lm.renderer = None
    lm.save(tmp_path / "model")
    model = Here(ModelFolder(path=str(tmp_path / "model"), max_new_tokens=8))
    assert model.answers(["the cat"], GREEDY) == [lm.generate("the cat", max_new_tokens=8, temperature=0.0)]
    with pytest.raises(UserError, match="has no chat template, so it cannot be asked"):
        model.require_chat()


def test_a_reply_to_a_question_and_what_is_too_long_has_none(folder: Path) -> None:
    model = Here(ModelFolder(path=str(folder)))
    talks = [({"role": "user", "content": text},) for text in ("the cat", "a hat", "the cat " * 80)]
    asked = [Question(talk=talk, max_new_tokens=6, temperature=t) for talk in talks for t in (0.0, 0.9)]
    told: list[tuple[int, Reply | None]] = []
    found = model.reply_to(asked, lambda number, reply: told.append((number, reply)))
    assert told == list(enumerate(found))
    assert found[4:] == [None, None]
    assert model.counts == {"longer than the model reads": 2}
    greedy = model.lm.chat([{"role": "user", "content": "a hat"}], max_new_tokens=6, temperature=0.0)
    assert found[2] == Reply(greedy)
    assert model.reply_to([asked[3]]) == [found[3]]  # drawn alike, whatever else is asked


def test_first_tokens_have_their_probabilities(tmp_path: Path) -> None:
    judge_that_says("B").save(tmp_path / "judge")
    model = Here(ModelFolder(path=str(tmp_path / "judge")))
    talk = ({"role": "user", "content": "A or B?"},)
    [found] = model.reply_to([Question(talk=talk, max_new_tokens=4, weights=True)])
    assert found is not None
    assert found.text == "B"
    assert found.first is not None
    assert found.first["B"] == max(found.first.values()) > -0.01
