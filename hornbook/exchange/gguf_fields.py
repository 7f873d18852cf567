"""What a GGUF file says about its model, as the fields of a config.json, and back.

Every decision about a design stays with the families: they read these fields, and what they write becomes metadata. A
file can say a design exactly if what is written reads back as the same design, so nothing lists what it cannot say.
The keys are those of llama.cpp's converter; what it leaves unsaid (an activation, which layers of Gemma 3 see far) is
what llama.cpp builds.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.exchange.family import Fields
from hornbook.exchange.gguf_names import ARCHITECTURES, Architecture
from hornbook.model.rope import Rope
from hornbook.model.scaling import Llama3Scaling

Metadata = Mapping[str, Any]
Shapes = Mapping[str, tuple[int, ...]]

NUMBERS = {
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "attention.key_length": "head_dim",
    "attention.value_length": "head_dim",
    "attention.sliding_window": "sliding_window",
    "vocab_size": "vocab_size",
}
NEEDED = ("context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count")
TOKENS = {"bos": "bos_token_id", "eos": "eos_token_id", "padding": "pad_token_id"}
SCALINGS = ("linear", "yarn")  # rope.scaling.type
FACTORS = "rope_freqs.weight"  # by what each pair of channels is slowed: Llama 3's scaling, worked out
GEMMA_PATTERN = 6  # of Gemma 3's layers, every sixth sees far (llama.cpp, src/models/gemma3.cpp)
GEMMA_NEAR_BASE = 10_000.0  # their rope's; the others' is rope.freq_base
GEMMA_27B_LAYERS = 62  # the one size that scales scores by its width per head, not by head_dim


def architecture_of(metadata: Metadata, path: object) -> Architecture:
    """The kind of model that a file has."""
    name = metadata.get("general.architecture")
    if metadata.get("split.count", 1) > 1:
        raise UserError(
            f"{path}: part {metadata.get('split.no', 0) + 1} of {metadata['split.count']}; "
            "join the parts with llama.cpp's llama-gguf-split --merge"
        )
    if name not in ARCHITECTURES:
        raise UserError(f"{path}: general.architecture is {name!r}; known are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def fields_of(metadata: Metadata, shapes: Shapes, factors: Tensor | None, path: object) -> dict[str, Any]:
    """The config.json of a file; `shapes` are by the file's names, `factors` its tensor FACTORS."""
    architecture = architecture_of(metadata, path)
    own = _own(metadata, architecture.name, path)
    if own.get("expert_count"):
        raise UserError(f"{path}: a mixture of {own['expert_count']:.0f} experts, which is not read from GGUF")
    each_head = own["embedding_length"] // own["attention.head_count"]
    fields: dict[str, Any] = {
        "model_type": architecture.families[0],
        "num_key_value_heads": own["attention.head_count"],
        "head_dim": own.get("rope.dimension_count", each_head),
        **{theirs: own[key] for key, theirs in NUMBERS.items() if key in own},
        **_tokens(metadata),
        "vocab_size": shapes.get("token_embd.weight", (own.get("vocab_size"),))[0],
        "tie_word_embeddings": "output.weight" not in shapes,
        "attention_bias": "blk.0.attn_q.bias" in shapes,
        "mlp_bias": "blk.0.ffn_up.bias" in shapes,
    }
    rope = _rope(own, fields["head_dim"], factors, path)
    if architecture.name == "gemma3":
        return fields | _gemma(own, rope, fields)
    if architecture.name == "llama" and "sliding_window" in fields:  # no other Llama has one
        fields["model_type"] = "mistral"
    return fields | {"rope_parameters": rope}


def _own(metadata: Metadata, name: str, path: object) -> dict[str, Any]:
    """The model's own keys, without the architecture in front; what is given for each layer must be one number."""
    own: dict[str, Any] = {}
    for key, value in metadata.items():
        if not key.startswith(f"{name}."):
            continue
        if isinstance(value, list) and any(each != value[0] for each in value):
            raise UserError(f"{path}: {key} differs from layer to layer ({value[:4]} ...), which is not read from GGUF")
        if not isinstance(value, int | float | list) and not key.endswith(".type"):
            raise UserError(f"{path}: {key} is {value!r}, not a number; copy or download it again")
        own[key.removeprefix(f"{name}.")] = value[0] if isinstance(value, list) and value else value
    for key in NEEDED:
        if not own.get(key):
            raise UserError(f"{path}: {name}.{key} is missing; copy or download it again")
    return own


def _tokens(metadata: Metadata) -> dict[str, Any]:
    """The ids of a config.json: what begins a text, ends one, and pads."""
    named = {key: metadata.get(f"tokenizer.ggml.{key}_token_id") for key in (*TOKENS, "eot")}
    found: dict[str, Any] = {theirs: named[key] for key, theirs in TOKENS.items() if named[key] is not None}
    if named["eot"] is not None and named["eot"] != named["eos"]:  # ends an answer
        found["eos_token_id"] = [i for i in (named["eos"], named["eot"]) if i is not None]
    return found


def _rope(own: Metadata, head_dim: int, factors: Tensor | None, path: object) -> dict[str, Any]:
    """The rope_parameters of a file."""
    rope: dict[str, Any] = {"rope_theta": own.get("rope.freq_base", 10_000.0), "rope_type": "default"}
    turned = own.get("rope.dimension_count", head_dim)
    if turned != head_dim:
        rope["partial_rotary_factor"] = turned / head_dim
    kind = own.get("rope.scaling.type", "linear" if "rope.scale_linear" in own else "none")
    if kind != "none":
        rope |= {"rope_type": kind, "factor": own.get("rope.scaling.factor", own.get("rope.scale_linear"))}
        if "rope.scaling.original_context_length" in own:
            rope["original_max_position_embeddings"] = own["rope.scaling.original_context_length"]
    if factors is not None:
        length = own.get("rope.scaling.original_context_length", Llama3Scaling.original_length)
        scaling = Llama3Scaling(factor=float(factors.max()), original_length=length)
        known = rope_factors(Rope(base=rope["rope_theta"], scaling=scaling), head_dim)
        if factors.shape != known.shape or not torch.allclose(factors, known, rtol=1e-4):
            raise UserError(f"{path}: {FACTORS} is not the scaling of Llama 3.1, the only one known; give a folder")
        rope |= {
            "rope_type": "llama3",
            "factor": scaling.factor,
            "low_freq_factor": scaling.low,
            "high_freq_factor": scaling.high,
            "original_max_position_embeddings": scaling.original_length,
        }
    return rope


def rope_factors(rope: Rope, head_dim: int) -> Tensor:
    """By what a scaling slows each pair of channels."""
    return Rope(base=rope.base).rates(head_dim) / rope.rates(head_dim)


def _gemma(own: Metadata, rope: Fields, fields: Fields) -> dict[str, Any]:
    """What llama.cpp knows of Gemma 3 without being told."""
    layers = fields["num_hidden_layers"]
    wide = layers == GEMMA_27B_LAYERS
    return {
        "hidden_activation": "gelu_pytorch_tanh",
        "query_pre_attn_scalar": fields["hidden_size"] // fields["num_attention_heads"] if wide else fields["head_dim"],
        "final_logit_softcapping": own.get("final_logit_softcapping"),
        "layer_types": [f"{'full' if (i + 1) % GEMMA_PATTERN == 0 else 'sliding'}_attention" for i in range(layers)],
        "rope_parameters": {
            "full_attention": rope,
            "sliding_attention": {
                "rope_type": "default",
                "rope_theta": own.get("rope.freq_base_swa", GEMMA_NEAR_BASE),
            },
        },
    }


def metadata_of(fields: Fields) -> dict[str, Any]:
    """The keys of a model's own, `llama.block_count` and so on, that a config.json becomes."""
    name = next((each.name for each in ARCHITECTURES.values() if fields["model_type"] in each.families), None)
    if name is None:
        known = [family for each in ARCHITECTURES.values() for family in each.families]
        raise UserError(
            f"a {fields['model_type']} model cannot be written as GGUF, only {', '.join(known)}; save it as a folder"
        )
    own = {key: fields[theirs] for key, theirs in NUMBERS.items() if fields.get(theirs) is not None}
    parameters = fields["rope_parameters"]
    near = parameters.get("sliding_attention")
    rope = parameters.get("full_attention", parameters)
    own |= {"rope.freq_base": float(rope["rope_theta"]), "rope.dimension_count": fields["head_dim"]}
    if near is not None:
        own["rope.freq_base_swa"] = float(near["rope_theta"])
    if rope["rope_type"] not in ("default", "llama3", *SCALINGS):
        raise UserError(f"a GGUF file cannot say the rope_type {rope['rope_type']!r}; save the model as a folder")
    if rope["rope_type"] in SCALINGS:
        own |= {"rope.scaling.type": rope["rope_type"], "rope.scaling.factor": float(rope["factor"])}
    if "original_max_position_embeddings" in rope:
        own["rope.scaling.original_context_length"] = rope["original_max_position_embeddings"]
    if fields.get("final_logit_softcapping") is not None:
        own["final_logit_softcapping"] = float(fields["final_logit_softcapping"])
    return {"general.architecture": name, **{f"{name}.{key}": value for key, value in own.items()}}
