"""A file is read again where it is meant for, and refused where another model is read out of it."""

import sys
from pathlib import Path

import pytest
import torch

from hornbook import carried
from hornbook.core.errors import UserError
from hornbook.exchange import onnx_file
from tests.test_cli_export import folder, hornbook  # noqa: F401 -- fixtures

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def written(folder, tmp_path_factory):  # noqa: F811
    import hornbook as package

    lm, path = package.load(str(folder)), tmp_path_factory.mktemp("onnx") / "cat.onnx"
    onnx_file.save(lm.module, path)
    return lm, path


def test_all_of_it_agrees(written) -> None:
    lm, path = written
    found = carried.compare(lm, carried.in_onnxruntime(path))
    assert found.share == 1
    assert found.places == len(carried.PROMPTS) * carried.NEW
    assert carried.check(lm, path, "onnx") == (
        f"onnxruntime agrees on {found.places} of {found.places} greedy tokens of 20 prompts"
    )


def test_another_model_in_the_file_is_refused_and_the_file_deleted(written, tmp_path: Path) -> None:
    lm, path = written
    other = tmp_path / "other.onnx"
    other.write_bytes(path.read_bytes())
    weight = lm.module.stack.final_norm.weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.copy_(-kept)  # the likeliest token becomes the least likely
    try:
        with pytest.raises(UserError, match=r"other\.onnx: onnxruntime agrees on .* the model was not carried over"):
            carried.check(lm, other, "onnx")
    finally:
        with torch.no_grad():
            weight.copy_(kept)
    assert not other.exists()


def test_without_the_runtime_it_is_said_that_nothing_was_checked(written, monkeypatch) -> None:
    monkeypatch.setattr(carried.importlib.util, "find_spec", lambda name: None)
    lm, path = written
    assert carried.check(lm, path, "onnx") == "not checked: onnxruntime is not installed"
    assert carried.check(lm, path, "q8_0") == "not checked: llama-cpp-python is not installed"


def test_the_command(hornbook, folder, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "cat.onnx"
    code, told, _ = hornbook("export", folder, out)
    assert code == 0
    assert told.splitlines()[1].startswith("onnxruntime agrees on 640 of 640")
    code, told, _ = hornbook("export", folder, out, "--no-check")
    assert (code, len(told.splitlines())) == (0, 1)
    for name in ("cat.bin", "cat.gguf"):
        code, _, error = hornbook("export", folder, tmp_path / name, "--to", "onnx")
        assert code != 0
        assert "cat.onnx" in error
    assert "hornbook" in sys.modules
