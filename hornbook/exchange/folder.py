"""The Hugging Face folder, hornbook's own format: config.json, model.safetensors, generation_config.json, tokenizer.

transformers, vLLM, llama.cpp's converter and Ollama read what `save` writes; `load` reads what they read. A design that
no public class can express says `model_type: hornbook` and carries its recipe. Everything is checked before the first
weight is read: a model is loaded whole or not at all.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, read_json, write_json
from hornbook.exchange import families, tensors
from hornbook.exchange.tensors import TensorFiles
from hornbook.exchange.weights import Shapes, Weight
from hornbook.model.models import DecoderModel
from hornbook.text.tokenizer import Tokenizer

TOKEN_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")


def load(folder: Path, *, dtype: torch.dtype | None = None) -> DecoderModel:
    """The model of a folder; `dtype` None keeps the numbers as the file has them (and then they stay in the file)."""
    fields = read_fields(folder)
    config = families.config_of(fields)
    with torch.device("meta"):
        model = config.build()
    files, shapes = TensorFiles(folder), _shapes(model)
    weights = _weights(fields, files, shapes, config.stack.layers)
    _check(fields, files, shapes, weights, tied=config.tied)
    state: dict[str, Tensor] = {}
    for weight in weights:
        tensor = files.get(weight.theirs)
        state |= weight.to_ours(tensor if dtype is None else tensor.to(dtype), shapes)
    model.load_state_dict(state, assign=True, strict=False)  # checked above; a tied head is not in the file
    model.tie()
    model.token_ids = {key: fields[key] for key in TOKEN_IDS if fields.get(key) is not None}
    return model


def save(
    model: DecoderModel, folder: Path, *, tokenizer: Tokenizer | None = None, extra: Mapping[str, Any] | None = None
) -> None:
    """Write a model so that other programs read it; `extra` goes into config.json (bos_token_id, ...).

    A new folder appears whole or not at all. In a folder that exists, files of the same name are replaced one by one.
    """
    fields = families.fields_of(model.config)
    state = model.state_dict()
    weights = families.weights_of(fields, _shapes(model), model.config.stack.layers)
    theirs = {weight.theirs: weight.to_theirs(state) for weight in weights}
    fields |= {"dtype": str(next(iter(theirs.values())).dtype).removeprefix("torch."), **_tokens(model, tokenizer)}
    fields |= model.token_ids | dict(extra or {})
    target = folder / ".saving" if folder.exists() else folder
    with new_folder(target) as aside:
        tensors.write(theirs, aside / tensors.WHOLE)
        write_json(aside / "generation_config.json", {key: fields[key] for key in TOKEN_IDS if key in fields})
        if tokenizer is not None:
            tokenizer.save(aside)
        write_json(aside / "config.json", fields)
    if target != folder:
        _move_up(target)


def read_fields(folder: Path) -> dict[str, Any]:
    """The config.json of a folder."""
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"{folder}: no config.json in it; give a run, a model folder or a hub id")
    fields = read_json(path)
    if not isinstance(fields, dict):
        raise UserError(f"{path}: not a JSON object; copy the file again")
    return fields


def _tokens(model: DecoderModel, tokenizer: Tokenizer | None) -> dict[str, Any]:
    """What config.json keeps of a tokenizer: its end, and whose ids the model was trained on."""
    if tokenizer is None:
        return {}
    vocab = model.config.embed.vocab
    if tokenizer.vocab > vocab:
        raise UserError(f"tokenizer: has {tokenizer.vocab} ids and the model {vocab}; it is not this model's tokenizer")
    return {
        "bos_token_id": tokenizer.end,
        "eos_token_id": tokenizer.end,
        "tokenizer_fingerprint": tokenizer.fingerprint,
    }


def _shapes(model: DecoderModel) -> dict[str, tuple[int, ...]]:
    """Our tensors, each once: a tied head is its embedding."""
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if model.config.tied:
        del shapes["head.weight"]
    return shapes


def _weights(fields: dict[str, Any], files: TensorFiles, shapes: Shapes, layers: int) -> list[Weight]:
    prefix = "" if fields.get("model_type") == families.OURS else families.family_of(fields).prefix
    bare = not any(name.startswith(prefix) for name in files.shapes)
    return families.weights_of(fields, shapes, layers, bare=bare)


def _check(fields: dict[str, Any], files: TensorFiles, shapes: Shapes, weights: list[Weight], *, tied: bool) -> None:
    """Every tensor there, none too many, each of the shape that config.json makes it."""
    for weight in weights:
        name, wanted = weight.theirs, weight.shape(shapes)
        if name not in files.shapes:
            raise UserError(f"{files.folder}: tensor {name} is missing; copy the folder again")
        if files.shapes[name] != wanted:
            raise UserError(
                f"{files.files[name]}: tensor {name} is {files.shapes[name]}, config.json makes it {wanted}; "
                "the two files are not of one model"
            )
    ours = fields.get("model_type") == families.OURS
    ignored = "(?!)" if ours else families.family_of(fields).ignored
    extra = set(files.shapes) - {weight.theirs for weight in weights}
    for name in sorted(name for name in extra if not re.fullmatch(ignored, name)):
        if tied and name in ("lm_head.weight", "head.weight") and _is_copy(files, name, weights):
            continue
        raise UserError(f"{files.files[name]}: tensor {name} has no place in the model that config.json describes")


def _is_copy(files: TensorFiles, head: str, weights: list[Weight]) -> bool:
    """Whether a tied head that was written nevertheless is the embedding."""
    table = next(weight.theirs for weight in weights if "embed.table.weight" in weight.ours)
    return files.shapes[head] == files.shapes[table] and torch.equal(files.get(head), files.get(table))


def _move_up(aside: Path) -> None:
    """Replace the files beside a folder by the files in it; weights that are now in another file go."""
    names = {path.name for path in aside.iterdir()}
    for path in sorted(aside.iterdir(), key=lambda path: path.name == "config.json"):  # config.json last
        path.replace(aside.parent / path.name)
    aside.rmdir()
    for old in aside.parent.glob("model*.safetensors*"):
        if old.name not in names:
            old.unlink()
