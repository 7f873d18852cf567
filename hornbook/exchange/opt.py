"""OPT (Zhang et al. 2022), and Galactica: GPT-3's design with ReLU, and learned positions that begin at row 2.

Of its sizes, 350M alone has its norms after the sums and embeddings of another width; the first is a recipe's word
(`placement: post`), the second, a matrix on both ends of the stack, is not built here.
"""

from typing import Any

from hornbook.exchange.family import Family, Fields, choose, expect, need
from hornbook.exchange.weights import Weight
from hornbook.exchange.wiring import LAYER, layer, parts
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.norm import LayerNorm

ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "gelu_new": "gelu_tanh", "silu": "silu"}
OFFSET = 2  # rows of the table before position 0: those of fairseq's padding


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    dim = need(fields, "hidden_size")
    width = fields.get("word_embed_proj_dim") or dim
    expect({"word_embed_proj_dim": width}, word_embed_proj_dim=dim)
    expect(fields, _remove_final_layer_norm=False)
    affine = fields.get("layer_norm_elementwise_affine", True)
    norm = {"type": "layer_norm", "gain": affine, "bias": affine}
    return {
        "dim": dim,
        "length": fields.get("max_position_embeddings", 2048),
        "head": {"tied": fields.get("tie_word_embeddings", True)},
        "init": {"type": "normal", "std": fields.get("init_std", 0.02)},
        "embed": {"vocab": need(fields, "vocab_size")},
        "stack": {
            "layers": need(fields, "num_hidden_layers"),
            "norm": norm,
            "placement": "pre" if fields.get("do_layer_norm_before", True) else "post",
            "position": {"type": "learned", "offset": OFFSET},
            "dropout": fields.get("dropout", 0.1),
            "layer": layer(*_sublayers(fields), norm, "sequential"),
        },
    }


def _sublayers(fields: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    bias = fields.get("enable_bias", True)
    attention = {
        "heads": need(fields, "num_attention_heads"),
        "bias": bias,
        "output_bias": bias,
        "dropout": fields.get("attention_dropout", 0.0),
    }
    activation = choose(fields, "activation_function", ACTIVATIONS, "relu")
    return attention, {"hidden": need(fields, "ffn_dim"), "activation": activation, "bias": bias}


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    found, norm = parts(config), config.stack.norm
    names = {ours: theirs for theirs, ours in ACTIVATIONS.items()}
    if found is None or not isinstance(norm, LayerNorm) or found.mlp.activation not in names:
        return None
    return {
        "vocab_size": config.embed.vocab,
        "hidden_size": config.dim,
        "word_embed_proj_dim": config.dim,
        "ffn_dim": found.mlp.hidden,
        "max_position_embeddings": config.length,
        "num_hidden_layers": config.stack.layers,
        "num_attention_heads": found.attention.heads,
        "do_layer_norm_before": config.stack.placement == "pre",
        "layer_norm_elementwise_affine": norm.gain,
        "activation_function": names[found.mlp.activation],
        "enable_bias": found.mlp.bias,
        "dropout": config.stack.dropout,
        "attention_dropout": found.attention.dropout,
        "init_std": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.tied,
    }


FAMILY = Family(
    "opt",
    "OPTForCausalLM",
    read,
    write,
    prefix="model.",
    bare=("OPTModel",),
    copies={"lm_head.weight": "model.decoder.embed_tokens.weight"},
    weights=(
        Weight("model.decoder.embed_tokens.weight", ("embed.table.weight",)),
        Weight("model.decoder.embed_positions.weight", ("stack.position.table.weight",)),
        Weight("model.decoder.layers.{layer}.self_attn_layer_norm.*", (f"{LAYER}.0.norm.*",)),
        Weight("model.decoder.layers.{layer}.self_attn.q_proj.*", (f"{LAYER}.0.op.query.*",)),
        Weight("model.decoder.layers.{layer}.self_attn.k_proj.*", (f"{LAYER}.0.op.key.*",)),
        Weight("model.decoder.layers.{layer}.self_attn.v_proj.*", (f"{LAYER}.0.op.value.*",)),
        Weight("model.decoder.layers.{layer}.self_attn.out_proj.*", (f"{LAYER}.0.op.output.*",)),
        Weight("model.decoder.layers.{layer}.final_layer_norm.*", (f"{LAYER}.1.norm.*",)),
        Weight("model.decoder.layers.{layer}.fc1.*", (f"{LAYER}.1.op.up.*",)),
        Weight("model.decoder.layers.{layer}.fc2.*", (f"{LAYER}.1.op.output.*",)),
        Weight("model.decoder.final_layer_norm.*", ("stack.final_norm.*",)),
        Weight("lm_head.weight", ("head.weight",)),
    ),
)
