"""The planted models, trained once for all tests that ask them: half a minute or so each."""

from pathlib import Path

import pytest

from hornbook.align import rules as rules_files
from hornbook.model import causal
from tests.align.planted import planted_model, write_rules
from tests.align.planted_assistant import assistant_model


@pytest.fixture(scope="session")
def rude(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `model`, which is rude and knows better, and `rules.yaml`."""
    folder = tmp_path_factory.mktemp("planted")
    rules = rules_files.load(write_rules(folder))
    planted_model(rules, steps=900, rows=20).save(folder / "model")
    return folder


@pytest.fixture(scope="session")
def handy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that uses tools, passages and memories.

    Trained by torch's own attention: which skills so small a model learns depends on the last bits of its training.
    """
    folder = tmp_path_factory.mktemp("assistant") / "model"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(causal, "fits", lambda *_: False)
        assistant_model(1200, rows=20).save(folder)
    return folder
