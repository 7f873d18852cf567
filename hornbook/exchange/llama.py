"""Llama 1, 2 and 3 (Touvron et al. 2023; Dubey et al. 2024), and what is built like it: SmolLM2, TinyLlama, Yi, ...

Rotary positions, RMS norm, a gated MLP, grouped heads, no biases. Mistral, Mixtral, Qwen, OLMo, Phi-3 and Gemma differ
from it in a word or two, so their files build on this one: `read` and change what differs; `write` and add it.
"""

from typing import Any

from hornbook.exchange import rope
from hornbook.exchange.family import Family, Fields, choose, expect, need
from hornbook.exchange.weights import Weight
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.mlp import GatedMLP
from hornbook.model.norm import LayerNorm, RMSNorm
from hornbook.model.rope import Rope

ACTIVATIONS = {"silu": "silu", "gelu": "gelu", "gelu_pytorch_tanh": "gelu_tanh", "relu": "relu"}
LAYER = "stack.layers.{layer}"


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe, of a model whose channels all turn"""
    expect(fields.get("rope_parameters") or {}, partial_rotary_factor=1.0)
    return read_partial(fields)


def read_partial(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe; a share of the channels may turn"""
    return {
        "dim": need(fields, "hidden_size"),
        "length": fields.get("max_position_embeddings", 2048),
        "head": {"tied": fields.get("tie_word_embeddings", False)},
        "init": {"type": "normal", "std": fields.get("initializer_range", 0.02)},
        "embed": {"vocab": need(fields, "vocab_size")},
        "stack": {
            "layers": need(fields, "num_hidden_layers"),
            "norm": {"type": "rms_norm", "eps": fields.get("rms_norm_eps", 1e-6)},
            "position": rope.read(fields),
            "layer": _layer(fields),
        },
    }


def _layer(fields: Fields) -> list[dict[str, Any]]:
    """The two sublayers of every layer."""
    heads, bias = need(fields, "num_attention_heads"), fields.get("attention_bias", False)
    return [
        {
            "type": "attention",
            "heads": heads,
            "kv_heads": fields.get("num_key_value_heads") or heads,
            "head_dim": fields.get("head_dim"),
            "bias": bias,
            "output_bias": bias,
            "dropout": fields.get("attention_dropout", 0.0),
        },
        {
            "type": "gated_mlp",
            "hidden": need(fields, "intermediate_size"),
            "activation": choose(fields, "hidden_act", ACTIVATIONS, "silu"),
            "bias": fields.get("mlp_bias", False),
        },
    ]


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json, of a design whose layers are attention and a gated MLP; the first layer speaks for all."""
    match config.stack.plan()[0]:
        case (Attention() as attention, GatedMLP() as mlp):
            return write_model(config, attention, mlp)
        case _:
            return None


def write_model(config: Decoder, attention: Attention, mlp: GatedMLP) -> dict[str, Any] | None:
    """The config.json of a model of layers that have this attention and this MLP."""
    names, position = {ours: theirs for theirs, ours in ACTIVATIONS.items()}, config.stack.position
    if mlp.activation not in names or not isinstance(position, Rope):
        return None
    norm = config.stack.norm
    return {
        "vocab_size": config.embed.vocab,
        "hidden_size": config.dim,
        "intermediate_size": mlp.hidden,
        "num_hidden_layers": config.stack.layers,
        "num_attention_heads": attention.heads,
        "num_key_value_heads": attention.kv_heads or attention.heads,
        "head_dim": attention.width(config.dim),
        "hidden_act": names[mlp.activation],
        "max_position_embeddings": config.length,
        "rms_norm_eps": norm.eps if isinstance(norm, RMSNorm | LayerNorm) else None,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.tied,
        "attention_bias": attention.bias,
        "attention_dropout": attention.dropout,
        "mlp_bias": mlp.bias,
        **rope.write(position),
    }


def without(fields: dict[str, Any] | None, *keys: str) -> dict[str, Any] | None:
    """A config.json without what a family does not know."""
    return fields and {key: value for key, value in fields.items() if key not in keys}


OUTSIDE = (
    Weight("model.embed_tokens.weight", ("embed.table.weight",)),
    Weight("model.norm.weight", ("stack.final_norm.weight",)),
    Weight("lm_head.weight", ("head.weight",)),
)
NORMS = (
    Weight("model.layers.{layer}.input_layernorm.weight", (f"{LAYER}.0.norm.weight",)),
    Weight("model.layers.{layer}.post_attention_layernorm.weight", (f"{LAYER}.1.norm.weight",)),
)
ATTENTION = (
    Weight("model.layers.{layer}.self_attn.q_proj.*", (f"{LAYER}.0.op.query.*",)),
    Weight("model.layers.{layer}.self_attn.k_proj.*", (f"{LAYER}.0.op.key.*",)),
    Weight("model.layers.{layer}.self_attn.v_proj.*", (f"{LAYER}.0.op.value.*",)),
    Weight("model.layers.{layer}.self_attn.o_proj.*", (f"{LAYER}.0.op.output.*",)),
)
QK_NORM = (
    Weight("model.layers.{layer}.self_attn.q_norm.weight", (f"{LAYER}.0.op.query_norm.weight",)),
    Weight("model.layers.{layer}.self_attn.k_norm.weight", (f"{LAYER}.0.op.key_norm.weight",)),
)
MLP = (
    Weight("model.layers.{layer}.mlp.gate_proj.*", (f"{LAYER}.1.op.gate.*",)),
    Weight("model.layers.{layer}.mlp.up_proj.*", (f"{LAYER}.1.op.up.*",)),
    Weight("model.layers.{layer}.mlp.down_proj.*", (f"{LAYER}.1.op.output.*",)),
)
WEIGHTS = (*OUTSIDE, *NORMS, *ATTENTION, *QK_NORM, *MLP)  # rows of what a model lacks drop out
ALIKE: dict[str, Any] = {"prefix": "model.", "copies": {"lm_head.weight": "model.embed_tokens.weight"}}

FAMILY = Family(
    "llama",
    "LlamaForCausalLM",
    read,
    write,
    WEIGHTS,
    ignored=r".*\.rotary_emb\.inv_freq",  # computed, yet stored in files of old
    bare=("LlamaModel",),
    **ALIKE,
)
