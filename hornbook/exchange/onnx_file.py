"""A decoder as one ONNX file, for onnxruntime and what is built on it: ids and mask in, logits out, all in fp32.

The graph reads whole texts (there is no cache of keys and values in it), of any number and length: `input_ids` and
`attention_mask`, both (batch, length) int64, give `logits` (batch, length, vocab). PyTorch's own exporter follows the
model once and writes down what it did; models whose way depends on the numbers (mixtures of experts, texts read one
token after the other) cannot be followed. Weights of 2 GB and more lie beside the file, in NAME.onnx.data.
"""

import importlib
import io
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import torch
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.model.decoder import DecoderModel
from hornbook.model.head import Head
from hornbook.model.models import AnyModel

LARGE = 2_000_000_000  # bytes that one file of protobuf cannot hold
MOST_ROWS = 4096


class _Graph(nn.Module):
    """What is followed."""

    def __init__(self, model: DecoderModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids, attention_mask=attention_mask).logits
        return logits


def save(model: AnyModel, path: Path) -> None:
    """Write the file; UserError where the model cannot be followed or the packages are missing. All or nothing."""
    try:
        importlib.import_module("onnx"), importlib.import_module("onnxscript")
    except ModuleNotFoundError as error:
        raise UserError(f"{path}: {error.name} is not installed; pip install 'hornbook[onnx]'") from None
    if not isinstance(model, DecoderModel) or not isinstance(model.head, Head):
        raise UserError(f"{path}: only decoders with a language head go into ONNX; save a model folder instead")
    if not path.parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}; make it first")
    size = sum(weight.numel() * 4 for weight in model.parameters())
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, _quietly(model):
        made = Path(folder) / path.name
        _follow(model, path).save(str(made), external_data=size >= LARGE)
        for each in sorted(Path(folder).iterdir(), reverse=True):  # the file itself last, the weights beside it first
            shutil.move(each, path.parent / each.name)


def _follow(model: DecoderModel, path: Path) -> torch.onnx.ONNXProgram:
    example = torch.arange(18).view(2, 9) % model.config.vocab, torch.ones(2, 9, dtype=torch.long)
    rows, length = torch.export.Dim("batch", max=MOST_ROWS), torch.export.Dim("length", min=2, max=model.config.length)
    dims = {0: rows, 1: length}
    try:
        program = torch.onnx.export(
            _Graph(model),
            example,
            dynamo=True,
            verbose=False,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_shapes={"input_ids": dims, "attention_mask": dims},
        )
    except Exception as error:  # whatever the exporter raises: of its own, of torch.export, of sympy
        kinds = sorted({type(module).__name__ for module in model.modules() if not list(module.children())})
        raise UserError(
            f"{path}: PyTorch's exporter cannot follow this model ({', '.join(kinds)}; {type(error).__name__}); "
            "mixtures of experts and recurrent models do not go into ONNX, GGUF or a model folder may do"
        ) from error
    assert program is not None
    return program


@contextmanager
def _quietly(model: nn.Module) -> Iterator[None]:
    """Without the exporter's remarks to programmers; the model as in use, and afterwards as it was."""
    training, dtypes = model.training, {weight.dtype for weight in model.parameters()}
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            if dtypes != {torch.float32}:
                model.float()
            model.eval()
            yield
    finally:
        logging.disable(before)
        model.train(training)
