"""The server that the tests of this folder share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.served import Server, folders


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny models: chatty (ChatML), caller (a template with tools), plain (no template), reader (BERT)."""
    return folders(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def server(models: dict[str, Path]) -> Iterator[Server]:
    """A process that serves them all; two slots, a queue of four."""
    with Server(*map(str, models.values()), "--slots", "2", "--queue", "4") as served:
        yield served
        assert served.end() == 0
