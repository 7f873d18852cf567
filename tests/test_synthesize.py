"""With a real tiny chat model, which knows nothing and says what it likes."""

import json
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.magpie import Magpie
from hornbook.generate.asked import ModelFolder
from hornbook.generate.endpoint import Endpoint
from hornbook.synthesize import Synthesis, synthesize
from tests.tiny_chat import chat_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    chat_model().save(path)
    return path


def config(folder: Path, **options: object) -> Synthesis:
    method = Magpie(requests=8, temperature=1.0)
    return Synthesis(rows=6, method=method, model=ModelFolder(path=str(folder), max_new_tokens=24), **options)


def test_magpie_with_a_model_folder_draws_by_its_seed(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        synthesize(config(folder), tmp_path / name)
    synthesize(config(folder, seed=1), tmp_path / "three")
    one, two, three = ((tmp_path / name / "alpaca.jsonl").read_text() for name in ("one", "two", "three"))
    rows = [json.loads(line) for line in one.splitlines()]
    assert 1 <= len(rows) <= 6
    assert all(row["instruction"] and row["output"] for row in rows)
    assert one == two
    assert one != three


def test_a_folder_of_another_recipe_is_left_alone(folder: Path, tmp_path: Path) -> None:
    synthesize(config(folder), tmp_path / "out")
    with pytest.raises(UserError, match="holds instructions of another recipe; name another --out"):
        synthesize(config(folder, seed=1), tmp_path / "out")


def test_a_model_without_a_template_is_refused(tmp_path: Path) -> None:
    model = chat_model()
    model.renderer = None
    model.save(tmp_path / "model")
    with pytest.raises(UserError, match="has no chat template, so it cannot be asked"):
        synthesize(config(tmp_path / "model"), tmp_path / "out")


def test_a_key_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    wanted = Synthesis(method=Magpie(), model=Endpoint(url="http://127.0.0.1:1/v1", name="m"))
    with pytest.raises(FileNotFoundError, match="nokey"):
        synthesize(wanted, tmp_path / "out", key=tmp_path / "nokey")
