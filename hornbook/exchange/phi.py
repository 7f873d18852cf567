"""Phi-3 (Abdin et al. 2024): Llama, with query, key and value in one matrix and so the MLP's gate and its other half.

A share of the channels may turn, and the versions for 128k tokens stretch each channel's turns by a factor of its own.
"""

from typing import Any

from hornbook.exchange import llama
from hornbook.exchange.family import Family, Fields
from hornbook.exchange.rope import LENGTH, ORIGINAL
from hornbook.exchange.weights import Weight
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.rope import Rope
from hornbook.model.scaling import LongScaling

LONG = ("su", "yarn")  # what long scaling was called in files of old
FUSED = (
    Weight(
        "model.layers.{layer}.self_attn.qkv_proj.weight",
        tuple(f"{llama.LAYER}.0.op.{name}.weight" for name in ("query", "key", "value")),
    ),
    Weight("model.layers.{layer}.self_attn.o_proj.weight", (f"{llama.LAYER}.0.op.output.weight",)),
    Weight(
        "model.layers.{layer}.mlp.gate_up_proj.weight",
        (f"{llama.LAYER}.1.op.gate.weight", f"{llama.LAYER}.1.op.up.weight"),
    ),
    Weight("model.layers.{layer}.mlp.down_proj.weight", (f"{llama.LAYER}.1.op.output.weight",)),
)


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    parameters = dict(fields.get("rope_parameters") or fields.get("rope_scaling") or {})
    if parameters.get("rope_type", parameters.get("type")) in LONG:
        parameters["rope_type"] = "longrope"
    said = {LENGTH: 4096, ORIGINAL: 4096, "rms_norm_eps": 1e-5, **fields}
    data = llama.read_partial(said | {"rope_parameters": parameters, "attention_bias": False, "mlp_bias": False})
    data["embed"]["dropout"] = fields.get("embd_pdrop", 0.0)
    data["stack"]["dropout"] = fields.get("resid_pdrop", 0.0)
    data["stack"]["layer"][0]["window"] = fields.get("sliding_window")
    return data


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    fields = llama.without(llama.write(config), "attention_bias", "mlp_bias")
    match config.stack.plan()[0], config.stack.position:
        case (Attention(window=window), *_), Rope(scaling=scaling) if fields:
            original = scaling.original_length if isinstance(scaling, LongScaling) else config.length
            return {
                **fields,
                "embd_pdrop": config.embed.dropout,
                "resid_pdrop": config.stack.dropout,
                "sliding_window": window,
                ORIGINAL: original,
            }
        case _:
            return None


FAMILY = Family(
    "phi3",
    "Phi3ForCausalLM",
    read,
    write,
    (*llama.OUTSIDE, *llama.NORMS, *FUSED),
    bare=("Phi3Model",),
    **llama.ALIKE,
)
