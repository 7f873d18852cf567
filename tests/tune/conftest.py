"""A base model with a habit, that stages of preferences and rewards start from."""

from pathlib import Path

import pytest

from tests.tune import planted


@pytest.fixture(scope="session")
def planted_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that says the forbidden word in every second answer (planted.py); 15 seconds."""
    return planted.base(tmp_path_factory.mktemp("planted") / "base")
