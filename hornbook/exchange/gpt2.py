"""GPT-2 (Radford et al. 2019), and what is built like it: DistilGPT-2, Cerebras-GPT and many small ones.

Learned positions, pre-norm, biases everywhere, one table for embedding and head. Its matrices lie as (inputs, outputs)
and query, key and value in one.
"""

from typing import Any

from hornbook.exchange.family import Family, Fields, choose, expect, need
from hornbook.exchange.weights import TRANSPOSED, Weight
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.mlp import MLP
from hornbook.model.norm import LayerNorm

ACTIVATIONS = {
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu": "gelu",
    "relu": "relu",
    "silu": "silu",
}
LAYER = "stack.layers.{layer}"


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    expect(
        fields,
        scale_attn_weights=True,
        scale_attn_by_inverse_layer_idx=False,
        add_cross_attention=False,
    )
    return {
        "dim": need(fields, "n_embd"),
        "length": fields.get("n_positions", 1024),
        "head": {"tied": fields.get("tie_word_embeddings", True)},
        "init": {"type": "normal", "std": fields.get("initializer_range", 0.02)},
        "embed": {"vocab": need(fields, "vocab_size"), "dropout": fields.get("embd_pdrop", 0.1)},
        "stack": {
            "layers": need(fields, "n_layer"),
            "norm": {"type": "layer_norm", "eps": fields.get("layer_norm_epsilon", 1e-5)},
            "position": "learned",
            "dropout": fields.get("resid_pdrop", 0.1),
            "layer": _layer(fields),
        },
    }


def _layer(fields: Fields) -> list[dict[str, Any]]:
    """The two sublayers of every layer."""
    dim, dropout = need(fields, "n_embd"), fields.get("attn_pdrop", 0.1)
    activation = choose(fields, "activation_function", ACTIVATIONS, "gelu_new")
    return [
        {
            "type": "attention",
            "heads": need(fields, "n_head"),
            "bias": True,
            "output_bias": True,
            "dropout": dropout,
        },
        {"type": "mlp", "hidden": fields.get("n_inner") or 4 * dim, "activation": activation, "bias": True},
    ]


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    match config.stack.layer, config.stack.norm:
        case (Attention() as attention, MLP() as mlp), LayerNorm() as norm:
            pass
        case _:
            return None
    names = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}
    if mlp.activation not in names:
        return None
    return {
        "vocab_size": config.embed.vocab,
        "n_embd": config.dim,
        "n_positions": config.length,
        "n_layer": config.stack.layers,
        "n_head": attention.heads,
        "n_inner": mlp.hidden,
        "activation_function": names[mlp.activation],
        "layer_norm_epsilon": norm.eps,
        "embd_pdrop": config.embed.dropout,
        "resid_pdrop": config.stack.dropout,
        "attn_pdrop": attention.dropout,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.tied,
    }


FAMILY = Family(
    "gpt2",
    "GPT2LMHeadModel",
    read,
    write,
    prefix="transformer.",
    ignored=r".*\.attn\.(bias|masked_bias)",  # the causal mask, in files of old
    bare=("GPT2Model",),
    copies={"lm_head.weight": "transformer.wte.weight"},
    weights=(
        Weight("transformer.wte.weight", ("embed.table.weight",)),
        Weight("transformer.wpe.weight", ("stack.position.table.weight",)),
        Weight("transformer.h.{layer}.ln_1.*", (f"{LAYER}.0.norm.*",)),
        Weight(
            "transformer.h.{layer}.attn.c_attn.*",
            (f"{LAYER}.0.op.query.*", f"{LAYER}.0.op.key.*", f"{LAYER}.0.op.value.*"),
            TRANSPOSED,
        ),
        Weight("transformer.h.{layer}.attn.c_proj.*", (f"{LAYER}.0.op.output.*",), TRANSPOSED),
        Weight("transformer.h.{layer}.ln_2.*", (f"{LAYER}.1.norm.*",)),
        Weight("transformer.h.{layer}.mlp.c_fc.*", (f"{LAYER}.1.op.up.*",), TRANSPOSED),
        Weight("transformer.h.{layer}.mlp.c_proj.*", (f"{LAYER}.1.op.output.*",), TRANSPOSED),
        Weight("transformer.ln_f.*", ("stack.final_norm.*",)),
        Weight("lm_head.weight", ("head.weight",)),
    ),
)
