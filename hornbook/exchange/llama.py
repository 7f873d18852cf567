"""Llama 1, 2 and 3 (Touvron et al. 2023; Dubey et al. 2024), and what is built like it: SmolLM2, TinyLlama, Yi, ...

Rotary positions, RMS norm, a gated MLP, grouped heads, no biases. Qwen's file builds on this one.
"""

from typing import Any

from hornbook.exchange import rope
from hornbook.exchange.family import Family, Fields, choose, need
from hornbook.exchange.weights import Weight
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.mlp import GatedMLP
from hornbook.model.norm import RMSNorm
from hornbook.model.rope import Rope

ACTIVATIONS = {"silu": "silu", "gelu": "gelu", "gelu_pytorch_tanh": "gelu_tanh", "relu": "relu"}
LAYER = "stack.layers.{layer}"


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
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
    """Recipe -> config.json"""
    stack = config.stack
    match stack.layer, stack.norm, stack.position:
        case (Attention() as attention, GatedMLP() as mlp), RMSNorm() as norm, Rope() as position:
            pass
        case _:
            return None
    names = {ours: theirs for theirs, ours in ACTIVATIONS.items()}
    if mlp.activation not in names:
        return None
    return {
        "vocab_size": config.embed.vocab,
        "hidden_size": config.dim,
        "intermediate_size": mlp.hidden,
        "num_hidden_layers": stack.layers,
        "num_attention_heads": attention.heads,
        "num_key_value_heads": attention.kv_heads or attention.heads,
        "head_dim": attention.width(config.dim),
        "hidden_act": names[mlp.activation],
        "max_position_embeddings": config.length,
        "rms_norm_eps": norm.eps,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.head.tied,
        "attention_bias": attention.bias,
        "attention_dropout": attention.dropout,
        "mlp_bias": mlp.bias,
        **rope.write(position),
    }


WEIGHTS = (
    Weight("model.embed_tokens.weight", ("embed.table.weight",)),
    Weight("model.layers.{layer}.input_layernorm.weight", (f"{LAYER}.0.norm.weight",)),
    Weight("model.layers.{layer}.self_attn.q_proj.*", (f"{LAYER}.0.op.query.*",)),
    Weight("model.layers.{layer}.self_attn.k_proj.*", (f"{LAYER}.0.op.key.*",)),
    Weight("model.layers.{layer}.self_attn.v_proj.*", (f"{LAYER}.0.op.value.*",)),
    Weight("model.layers.{layer}.self_attn.o_proj.*", (f"{LAYER}.0.op.output.*",)),
    Weight("model.layers.{layer}.post_attention_layernorm.weight", (f"{LAYER}.1.norm.weight",)),
    Weight("model.layers.{layer}.mlp.gate_proj.*", (f"{LAYER}.1.op.gate.*",)),
    Weight("model.layers.{layer}.mlp.up_proj.*", (f"{LAYER}.1.op.up.*",)),
    Weight("model.layers.{layer}.mlp.down_proj.*", (f"{LAYER}.1.op.output.*",)),
    Weight("model.norm.weight", ("stack.final_norm.weight",)),
    Weight("lm_head.weight", ("head.weight",)),
)
COPIES = {"lm_head.weight": "model.embed_tokens.weight"}

FAMILY = Family(
    "llama",
    "LlamaForCausalLM",
    read,
    write,
    prefix="model.",
    ignored=r".*\.rotary_emb\.inv_freq",  # computed, yet stored in files of old
    weights=WEIGHTS,
    bare=("LlamaModel",),
    copies=COPIES,
)
