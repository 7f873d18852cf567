"""A whole model in one GGUF file: read as if it were a Hugging Face folder, and written from one.

Quantised weights are turned into float32 one tensor at a time and computed with as such; llama.cpp, which computes with
the blocks and quantises activations too, gives slightly other logits. Written are F32, F16, Q8_0 and Q4_0, as its
converter and `llama-quantize --pure` would, except that with Q4_0 the table that makes the logits stays at Q8_0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.exchange import families, folder, gguf, gguf_tokenizer, gguf_vocab
from hornbook.exchange.family import Fields, essence
from hornbook.exchange.gguf import GGUF
from hornbook.exchange.gguf_blocks import NAMED, Kind
from hornbook.exchange.gguf_fields import FACTORS, architecture_of, fields_of, metadata_of, rope_factors
from hornbook.exchange.gguf_names import ARCHITECTURES
from hornbook.model.decoder import Decoder
from hornbook.model.models import AnyModel
from hornbook.model.rope import Rope
from hornbook.text.chat import Renderer
from hornbook.text.tokenizer import Tokenizer

FILE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7}  # general.file_type: llama.h, enum llama_ftype
TABLES = ("token_embd.weight", "output.weight")


@dataclass(frozen=True)
class Opened:
    """What a file holds."""

    module: AnyModel
    tokenizer: Tokenizer | None
    renderer: Renderer | None


class GGUFTensors:
    """The tensors of a file by Hugging Face's names, and its config.json."""

    described = "its metadata"

    def __init__(self, file: GGUF) -> None:
        self.file, self.architecture = file, architecture_of(file.metadata, file.path)
        factors = file.get(FACTORS) if FACTORS in file.entries else None
        self.fields = fields_of(file.metadata, file.shapes, factors, file.path)
        self.names = {self.architecture.theirs(name): name for name in file.entries if name != FACTORS}
        self.shapes = {theirs: file.shapes[name] for theirs, name in self.names.items()}

    def get(self, name: str) -> Tensor:
        """One tensor, its rows in Hugging Face's order."""
        return self.architecture.from_file(name, self.file.get(self.names[name]), self.fields)

    def place(self, name: str) -> str:
        """The file and the tensor by its name there, for errors."""
        return f"{self.file.path}: tensor {self.names.get(name) or self.architecture.file_name(name)}"

    @property
    def dtype(self) -> torch.dtype:
        """The type of numbers that all matrices have; float32 where they are quantised or differ."""
        kinds = {entry.kind.plain for entry in self.file.entries.values() if len(entry.shape) > 1}
        (kind,) = kinds if len(kinds) == 1 else {torch.float32}
        return kind or torch.float32


def load(path: Path, *, dtype: torch.dtype | None = None) -> Opened:
    """The model of a file, with its tokenizer; `dtype` None keeps the numbers as the file has them, if torch can."""
    file = GGUF(path)
    tensors = GGUFTensors(file)
    tokenizer = gguf_tokenizer.read(file)  # before the weights: what is wrong is said at once
    renderer = None if tokenizer is None else gguf_tokenizer.renderer(file, tokenizer)
    return Opened(folder.assemble(tensors.fields, tensors, dtype=dtype or tensors.dtype), tokenizer, renderer)


def save(
    model: AnyModel,
    path: Path,
    *,
    type: str = "q8_0",  # what users call it
    tokenizer: Tokenizer | None = None,
    renderer: Renderer | None = None,
) -> None:
    """Write a model, and its tokenizer and chat template where it has them, as one file that llama.cpp runs."""
    if type not in FILE_TYPES:
        raise UserError(f"type: {type!r} is not one of {', '.join(FILE_TYPES)}; use one of these")
    fields, theirs = folder.take_apart(model)
    metadata = metadata_of(fields)
    architecture = ARCHITECTURES[metadata["general.architecture"]]
    tensors = {
        architecture.file_name(name): architecture.to_file(name, tensor, fields) for name, tensor in theirs.items()
    }
    factors = _factors(fields, model)
    _check(model, metadata, tensors, factors)
    metadata |= {
        "general.type": "model",
        "general.name": path.stem,
        "general.file_type": FILE_TYPES[type],
        "general.quantization_version": 2,  # GGML_QNT_VERSION
    }
    if tokenizer is not None:
        bos = {"bos": model.token_ids["bos_token_id"]} if "bos_token_id" in model.token_ids else {}
        metadata |= gguf_vocab.metadata_of(tokenizer, model.config.vocab, roles=bos, chat=renderer)
    numbers = {name: (_kind(name, tensor, type, tensors), tensor) for name, tensor in tensors.items()}
    if factors is not None:
        numbers[FACTORS] = (NAMED["F32"], factors)
    gguf.write(path, metadata, numbers)


def _kind(name: str, tensor: Tensor, type: str, tensors: Mapping[str, Tensor]) -> Kind:
    """The type of a tensor: vectors stay float32, and rows that blocks do not fill float16."""
    kind = NAMED[type.upper()]
    makes_logits = name == (TABLES[1] if TABLES[1] in tensors else TABLES[0])
    if tensor.dim() == 1:
        return NAMED["F32"]
    if tensor.shape[-1] % kind.weights:
        return NAMED["F16"]
    return NAMED["Q8_0"] if makes_logits and kind.name == "Q4_0" else kind


def _factors(fields: Fields, model: AnyModel) -> Tensor | None:
    """Llama 3's scaling of its rope, worked out."""
    if fields["rope_parameters"].get("rope_type") != "llama3":
        return None
    assert isinstance(model.config, Decoder)
    assert isinstance(model.config.stack.position, Rope)
    return rope_factors(model.config.stack.position, fields["head_dim"])


def _check(model: AnyModel, metadata: dict[str, Any], tensors: Mapping[str, Tensor], factors: Tensor | None) -> None:
    """Refuse a design that would read back as another."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    back = families.config_of(fields_of(metadata, shapes, factors, "what would be written"))
    meant, said = dict(_leaves(essence(model.config))), dict(_leaves(essence(back)))
    for key in sorted(meant.keys() | said.keys()):
        if meant.get(key) != said.get(key):
            raise UserError(
                f"a GGUF file cannot say that {key} is {meant.get(key)!r}: it would read back as {said.get(key)!r}; "
                "save the model as a folder"
            )


def _leaves(data: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every (path, value) of plain data."""
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in _leaves(value, f"{path}.{key}" if path else key)]
    if isinstance(data, list):
        return [leaf for i, value in enumerate(data) for leaf in _leaves(value, f"{path}.{i}")]
    return [(path, data)]
