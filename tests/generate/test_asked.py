"""A model of this machine that is asked: with a chat template as a user asks, without one it goes on."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.synthetic import Sampling
from hornbook.generate.asked import Here, ModelFolder
from tests.tiny_chat import chat_model

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
