"""OLMo and OLMo 2 (Groeneveld et al. 2024; OLMo team 2025): open in data, code and weights; Llama but for the norms.

OLMo norms without learning anything (table 1) and may clip queries, keys and values. OLMo 2 norms what a sublayer says
instead of what it reads, and queries and keys across all heads (section 3.2).
"""

from typing import Any

from hornbook.exchange import llama
from hornbook.exchange.family import Family, Fields
from hornbook.exchange.weights import Weight
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder

EPS = 1e-5


def read_olmo(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    data = llama.read({**fields, "mlp_bias": False})
    data["stack"]["norm"] = {"type": "layer_norm", "eps": EPS, "gain": False, "bias": False}
    data["stack"]["layer"][0]["clip"] = fields.get("clip_qkv")
    return data


def write_olmo(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    match config.stack.plan()[0]:
        case (Attention(clip=clip), *_):
            fields = llama.without(llama.write(config), "rms_norm_eps", "mlp_bias")
            return fields and {**fields, "clip_qkv": clip}
        case _:
            return None


def read_olmo2(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    data = llama.read({"rms_norm_eps": EPS, **fields, "mlp_bias": False})
    data["stack"]["placement"] = "output"
    data["stack"]["layer"][0]["qk_norm"] = {"type": "across_heads", "norm": data["stack"]["norm"]}
    return data


def write_olmo2(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    return llama.without(llama.write(config), "mlp_bias")


SAYS = "model.layers.{layer}"
OUTPUT_NORMS = (
    Weight(f"{SAYS}.post_attention_layernorm.weight", (f"{llama.LAYER}.0.norm.weight",)),
    Weight(f"{SAYS}.post_feedforward_layernorm.weight", (f"{llama.LAYER}.1.norm.weight",)),
    Weight(f"{SAYS}.self_attn.q_norm.weight", (f"{llama.LAYER}.0.op.query_norm.whole.weight",)),
    Weight(f"{SAYS}.self_attn.k_norm.weight", (f"{llama.LAYER}.0.op.key_norm.whole.weight",)),
)

OLMO = Family("olmo", "OlmoForCausalLM", read_olmo, write_olmo, llama.WEIGHTS, bare=("OlmoModel",), **llama.ALIKE)
OLMO2 = Family(
    "olmo2",
    "Olmo2ForCausalLM",
    read_olmo2,
    write_olmo2,
    (*llama.OUTSIDE, *llama.ATTENTION, *llama.MLP, *OUTPUT_NORMS),
    bare=("Olmo2Model",),
    **llama.ALIKE,
)
