"""The Hugging Face folder, hornbook's own format: config.json, model.safetensors, generation_config.json, tokenizer.

transformers, vLLM, llama.cpp's converter and Ollama read what `save` writes; `load` reads what they read. A design that
no public class can express says `model_type: hornbook` and carries its recipe. Everything is checked before the first
weight is read: a model is loaded whole or not at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, read_json, write_json
from hornbook.exchange import decoder_heads, families, tensors
from hornbook.exchange.family import Fields
from hornbook.exchange.tensors import TensorFiles, Tensors
from hornbook.exchange.weights import Shapes, Weight
from hornbook.model.models import AnyModel
from hornbook.text.tokenizer import Tokenizer

TOKEN_IDS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")


def load(folder: Path, *, dtype: torch.dtype | None = None) -> AnyModel:
    """The model of a folder; `dtype` None keeps the numbers as the file has them (and then they stay in the file)."""
    return assemble(read_fields(folder), TensorFiles(folder), dtype=dtype)


def assemble(fields: Fields, files: Tensors, *, dtype: torch.dtype | None = None) -> AnyModel:
    """The model of a config.json and its tensors, wherever they are."""
    quirks = families.quirks_of(fields)
    files = quirks.read(files)
    fields = {**fields, **quirks.unsaid(fields, files.shapes)}
    config = families.config_of(fields)
    with torch.device("meta"):
        model = config.build()
    shapes, bare = _shapes(model), _is_bare(fields, files)
    weights = families.weights_of(fields, config, shapes, bare=bare)
    _check(files, shapes, weights, _Extras.of(fields, model, bare=bare))
    state: dict[str, Tensor] = {}
    for weight in weights:
        tensor = files.get(weight.theirs)
        state |= weight.to_ours(tensor if dtype is None else tensor.to(dtype), shapes)
    model.load_state_dict(state, assign=True, strict=False)  # checked above; a tied head is not in the file
    model.tie()
    quirks.take(model, files, prefix=_prefix(fields) if bare else "")
    model.family = fields.get("model_type")
    model.token_ids = {key: fields[key] for key in TOKEN_IDS if fields.get(key) is not None}
    return model


def save(
    model: AnyModel, folder: Path, *, tokenizer: Tokenizer | None = None, extra: Mapping[str, Any] | None = None
) -> None:
    """Write a model so that other programs read it; `extra` goes into config.json (bos_token_id, ...).

    A new folder appears whole or not at all. In a folder that exists, files of the same name are replaced one by one.
    """
    fields, theirs = take_apart(model)
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


def take_apart(model: AnyModel) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A model as the config.json of its family and tensors by that family's names."""
    fields, state = families.fields_of(model.config, model.family), model.state_dict()
    bare = writes_bare(fields)
    weights = families.weights_of(fields, model.config, _shapes(model), bare=bare)
    theirs = {weight.theirs: weight.to_theirs(state) for weight in weights}
    return fields, theirs | families.quirks_of(fields).beside(model, theirs, prefix=_prefix(fields) if bare else "")


def check_tokenizer(folder: Path, tokenizer: Tokenizer) -> None:
    """Refuse a tokenizer that is not the one a model of ours was trained with; others' folders do not say which."""
    wanted = read_fields(folder).get("tokenizer_fingerprint", tokenizer.fingerprint)
    if tokenizer.fingerprint != wanted:
        raise UserError(
            f"{folder / 'tokenizer.json'}: tokenizer {tokenizer.fingerprint[:12]} is not the model's, which config.json"
            f" says is {str(wanted)[:12]}; copy the model's own tokenizer.json into the folder"
        )


def read_fields(folder: Path) -> dict[str, Any]:
    """The config.json of a folder."""
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"{folder}: no config.json in it; give a run, a model folder or a hub id")
    fields = read_json(path)
    if not isinstance(fields, dict):
        raise UserError(f"{path}: not a JSON object; copy the file again")
    return fields


def _tokens(model: AnyModel, tokenizer: Tokenizer | None) -> dict[str, Any]:
    """What config.json keeps of a tokenizer: its end, and whose ids the model was trained on."""
    if tokenizer is None:
        return {}
    vocab = model.config.vocab
    if tokenizer.vocab > vocab:
        raise UserError(f"tokenizer: has {tokenizer.vocab} ids and the model {vocab}; it is not this model's tokenizer")
    ends = {"bos_token_id": tokenizer.end, "eos_token_id": tokenizer.end}
    if decoder_heads.has_rows(model.config):
        ends["pad_token_id"] = decoder_heads.pad(tokenizer)
    return {**ends, "tokenizer_fingerprint": tokenizer.fingerprint}


def _shapes(model: AnyModel) -> dict[str, tuple[int, ...]]:
    """Our tensors, each once: a tied head is its embedding."""
    again = model.shared()
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items() if name not in again}


def _is_bare(fields: Fields, files: Tensors) -> bool:
    """Whether the file was saved without a head, and without the prefix that stands before all other names."""
    prefix = _prefix(fields)
    return bool(prefix) and not any(name.startswith(prefix) for name in files.shapes)


def _prefix(fields: Fields) -> str:
    """What stands before every name but the head's."""
    return "" if fields.get("model_type") == families.OURS else families.family_of(fields).prefix


def writes_bare(fields: Fields) -> bool:
    """Whether what we write has no head, and so no prefix."""
    ours = fields["model_type"] == families.OURS
    return not ours and fields["architectures"][0] in families.family_of(fields).bare


@dataclass(frozen=True)
class _Extras:
    """Tensors that a file may have beside the model's own."""

    copies: Mapping[str, str]  # must equal the tensor they are tied to
    ignored: str  # a regular expression: no weights

    @classmethod
    def of(cls, fields: Fields, model: AnyModel, *, bare: bool) -> "_Extras":
        if fields.get("model_type") == families.OURS:
            return cls(model.shared(), r"(?!)")
        family = families.family_of(fields)
        prefix = family.prefix if bare else ""
        copies = {a.removeprefix(prefix): b.removeprefix(prefix) for a, b in family.copies.items()}
        known = [name.removeprefix(prefix) for name in (*family.quirks.constants, *family.quirks.twins)]
        return cls(copies, "|".join([family.ignored, *map(re.escape, known)]))


def _check(files: Tensors, shapes: Shapes, weights: list[Weight], extras: _Extras) -> None:
    """Every tensor there, none too many, each of the shape that config.json makes it."""
    for weight in weights:
        name, wanted = weight.theirs, weight.shape(shapes)
        if name not in files.shapes:
            raise UserError(f"{files.place(name)} is missing; copy the model again")
        if files.shapes[name] != wanted:
            raise UserError(
                f"{files.place(name)} is {files.shapes[name]}, {files.described} makes it {wanted}; "
                "the two are not of one model"
            )
    for name in sorted(set(files.shapes) - {weight.theirs for weight in weights}):
        if re.fullmatch(extras.ignored, name) or _is_copy(files, name, extras.copies.get(name)):
            continue
        raise UserError(f"{files.place(name)} has no place in the model that {files.described} describes")


def _is_copy(files: Tensors, name: str, owner: str | None) -> bool:
    """Whether a tied tensor that was written nevertheless is the one it is tied to."""
    if owner is None or files.shapes.get(owner) != files.shapes[name]:
        return False
    return torch.equal(files.get(name), files.get(owner))


def _move_up(aside: Path) -> None:
    """Replace the files beside a folder by the files in it; weights that are now in another file go."""
    names = {path.name for path in aside.iterdir()}
    for path in sorted(aside.iterdir(), key=lambda path: path.name == "config.json"):  # config.json last
        path.replace(aside.parent / path.name)
    aside.rmdir()
    for old in aside.parent.glob("model*.safetensors*"):
        if old.name not in names:
            old.unlink()
