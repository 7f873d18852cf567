"""PEFT's folder: adapter_config.json and adapter_model.safetensors, by the names of the family's Hugging Face class.

`peft.PeftModel.from_pretrained` puts what `write` left on transformers' model, and `read` takes what PEFT saved: LoRA,
rsLoRA, DoRA, and modules that learned whole. What PEFT can do besides and would change the answers is refused by name.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, read_json, write_json
from hornbook.exchange import peft_names, tensors
from hornbook.exchange.low_rank import Learned
from hornbook.exchange.peft_names import Names
from hornbook.model.models import AnyModel

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."
PLAIN = {  # fields of LoraConfig that change what a model says, and the values with which they do not
    "bias": ("none",),
    "lora_bias": (False,),
    "layer_replication": (None,),
    "target_parameters": (None, []),
    "trainable_token_indices": (None,),
    "alora_invocation_tokens": (None,),
    "arrow_config": (None,),
    "kasa_config": (None,),
    "monteclora_config": (None,),
    "velora_config": (None,),
    "use_qalora": (False,),
    "use_bdlora": (None, False),
    "init_lora_weights": (True, False, None, "gaussian", "eva", "orthogonal", "lora_ga"),  # others change the base
}
TASKS = {
    "ForCausalLM": "CAUSAL_LM",
    "LMHeadModel": "CAUSAL_LM",
    "ForConditionalGeneration": "SEQ_2_SEQ_LM",
    "MTModel": "SEQ_2_SEQ_LM",
}


@dataclass(frozen=True)
class Content:
    """What an adapter folder holds, by our names."""

    learned: Mapping[str, Learned]  # matrix -> what it learned
    whole: Mapping[str, Tensor] = field(default_factory=dict)  # parameters that learned whole
    rooted: bool = False  # scales are alpha / sqrt(rank), not alpha / rank (rsLoRA)
    dropout: float = 0.0
    base: str = ""  # the model that the adapter was learned beside: a folder, a file, a hub id


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter, not a model."""
    return (folder / CONFIG).is_file() and not (folder / "config.json").is_file()


def base_of(folder: Path) -> str:
    """The model that an adapter belongs to."""
    said = _fields(folder).get("base_model_name_or_path")
    if not said:
        raise UserError(f"{folder / CONFIG}: base_model_name_or_path says nothing; name the adapter's model with base")
    beside = folder / str(said)
    return str(beside if not Path(said).exists() and beside.exists() else said)


def write(content: Content, model: AnyModel, folder: Path) -> None:
    """Write an adapter of a model; the folder appears whole or not at all."""
    names = peft_names.of(model.config, model.family)
    learned = names.joined(content.learned)
    whole = names.whole(content.whole.keys(), {**model.state_dict(), **content.whole})
    stored: dict[str, Tensor] = {PREFIX + name: tensor.clone() for name, tensor in whole.items()}
    for name, each in learned.items():
        stored |= {f"{PREFIX}{name}.lora_A.weight": each.down, f"{PREFIX}{name}.lora_B.weight": each.up}
        if each.magnitude is not None:
            stored[f"{PREFIX}{name}.lora_magnitude_vector"] = each.magnitude
    with new_folder(folder) as aside:
        tensors.write({name: tensor.detach().contiguous() for name, tensor in stored.items()}, aside / TENSORS)
        write_json(aside / CONFIG, _config(content, learned, names, set(whole)))


def _config(content: Content, learned: Mapping[str, Learned], names: Names, whole: set[str]) -> dict[str, Any]:
    """The adapter_config.json; ranks and alphas that are not the usual ones are said module by module."""
    alphas = {name: _alpha(each, rooted=content.rooted) for name, each in learned.items()}
    rank, alpha = min(each.rank for each in learned.values()), min(alphas.values())
    saved = names.short({name.rpartition(".")[0] for name in whole})
    task = next((task for end, task in TASKS.items() if names.architecture.endswith(end)), None)
    return {
        "peft_type": "LORA",
        "task_type": task,
        "base_model_name_or_path": content.base,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": content.dropout,
        "target_modules": names.short(set(learned)),
        "modules_to_save": saved or None,
        "rank_pattern": {name: each.rank for name, each in learned.items() if each.rank != rank},
        "alpha_pattern": {name: value for name, value in alphas.items() if value != alpha},
        "use_rslora": content.rooted,
        "use_dora": any(each.magnitude is not None for each in learned.values()),
        "fan_in_fan_out": names.transposed(learned),
        "bias": "none",
        "init_lora_weights": True,
        "inference_mode": True,
        "revision": None,
    }


def read(folder: Path, model: AnyModel) -> Content:
    """The adapter of a folder, for this model; refused where it belongs to another."""
    fields, path = _fields(folder), folder / TENSORS
    stored = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.read(path).items()}
    for field_name, plain in PLAIN.items():
        if field_name in fields and fields[field_name] not in plain:
            raise UserError(
                f"{folder / CONFIG}: {field_name} is {fields[field_name]!r}, which is not supported; "
                "merge the adapter with peft and load the merged model"
            )
    names = peft_names.of(model.config, model.family)
    found = peft_names.Found(stored, f"{path}: tensor {PREFIX}")
    learned = names.split(found, lambda name, rank: _scale(fields, name, rank))
    return Content(
        learned,
        names.whole_of_ours(found),
        bool(fields.get("use_rslora")),
        float(fields.get("lora_dropout") or 0),
        str(fields.get("base_model_name_or_path") or ""),
    )


def _fields(folder: Path) -> dict[str, Any]:
    fields = read_json(folder / CONFIG)
    kind = fields.get("peft_type") if isinstance(fields, dict) else None
    if kind != "LORA":
        raise UserError(f"{folder / CONFIG}: peft_type is {kind!r}; only LORA (with rsLoRA and DoRA) is supported")
    return dict(fields)


def _alpha(learned: Learned, *, rooted: bool) -> float:
    return learned.scale * (math.sqrt(learned.rank) if rooted else learned.rank)


def _scale(fields: Mapping[str, Any], name: str, rank: int) -> float:
    """The factor of a module, whose alpha may be its own."""
    alpha = peft_names.pattern_value(fields.get("alpha_pattern") or {}, name, fields.get("lora_alpha", 8))
    return float(alpha) / (math.sqrt(rank) if fields.get("use_rslora") else rank)
