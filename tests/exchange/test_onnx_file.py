"""What onnxruntime makes of the file is what the model says, whatever the sizes; or there is a sentence and no file."""

import sys
from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import onnx_file
from hornbook.model.decoder import Decoder
from hornbook.model.encoder import Encoder

pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")
SOME = ["llama-tiny", "gpt2-tiny"]
MORE = ["mistral-tiny", "qwen3-tiny", "olmo2-tiny", "gemma3-tiny", "phi3-tiny", "bloom-tiny", "opt-tiny", "gptj-tiny"]


def build(name: str):
    return recipe.load(Decoder, f"models/{name}", ()).build()


@pytest.mark.parametrize("name", [*SOME, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)])
def test_logits_are_those_of_the_model(name: str, tmp_path: Path) -> None:
    model, path = build(name), tmp_path / "m.onnx"
    training = model.training
    onnx_file.save(model, path)
    assert model.training == training
    assert [each.name for each in tmp_path.iterdir()] == ["m.onnx"]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    model.eval()
    for rows, length in ((1, 2), (3, 5), (2, 21)):
        ids, mask = torch.randint(50, (rows, length)), torch.ones(rows, length, dtype=torch.long)
        mask[0, : length // 2] = 0
        found = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]
        with torch.no_grad():
            expected = model(ids, attention_mask=mask).logits
        torch.testing.assert_close(torch.from_numpy(found)[mask.bool()], expected[mask.bool()], rtol=1e-4, atol=1e-4)


def test_weights_beside_the_file_where_they_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "LARGE", 1)
    onnx_file.save(build("gpt2-tiny"), tmp_path / "m.onnx")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["m.onnx", "m.onnx.data"]
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_outputs()[0].name == "logits"


@pytest.mark.parametrize("name", ["mixtral-tiny", pytest.param("rwkv-tiny", marks=pytest.mark.slow)])
def test_a_model_that_cannot_be_followed(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"m\.onnx: PyTorch's exporter cannot follow this model .*GGUF"):
        onnx_file.save(build(name), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_what_is_refused_before_anything_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = recipe.load(Encoder, "models/bert-tiny", ()).build()
    with pytest.raises(UserError, match="only decoders with a language head"):
        onnx_file.save(encoder, tmp_path / "m.onnx")
    with pytest.raises(UserError, match="there is no folder"):
        onnx_file.save(build("gpt2-tiny"), tmp_path / "nowhere" / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(UserError, match=r"onnxscript is not installed; pip install 'hornbook.onnx.'"):
        onnx_file.save(build("gpt2-tiny"), tmp_path / "m.onnx")
