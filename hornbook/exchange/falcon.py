"""Falcon (Almazrouei et al. 2023): attention and MLP side by side, few heads of keys and values, no biases.

| model | keys and values          | layer                 | positions |
|-------|--------------------------|-----------------------|-----------|
| 7B    | one head for all queries | side by side, 1 norm  | rotary    |
| 40B   | one for each group       | side by side, 2 norms | rotary    |
| 11B   | one for each group       | side by side, 1 norm  | rotary    |
| RW    | one for each query       | one after the other   | ALiBi     |

The matrices of queries, keys and values lie in one, group by group. transformers rounds ALiBi to bf16; we do not.
"""

from typing import Any

from hornbook.exchange import rope
from hornbook.exchange.family import Family, Fields, choose, need
from hornbook.exchange.weights import Interleaved, Table, Weight
from hornbook.exchange.wiring import NAMES, Parts, Wiring, layer, parts, the_parts
from hornbook.model.alibi import Alibi
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.norm import LayerNorm
from hornbook.model.rope import Rope

ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_tanh", "relu": "relu", "silu": "silu"}


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    dim, bias = fields.get("n_embed") or need(fields, "hidden_size"), fields.get("bias", False)
    norm = {"type": "layer_norm", "eps": fields.get("layer_norm_epsilon", 1e-5)}
    return {
        "dim": dim,
        "length": fields.get("max_position_embeddings", 2048),
        "head": {"tied": fields.get("tie_word_embeddings", True)},
        "init": {"type": "normal", "std": fields.get("initializer_range", 0.02)},
        "embed": {"vocab": need(fields, "vocab_size")},
        "stack": {
            "layers": fields.get("n_layer") or need(fields, "num_hidden_layers"),
            "norm": norm,
            "position": {"type": "alibi", "scaled": True} if fields.get("alibi") else rope.read(fields),
            "dropout": fields.get("hidden_dropout", 0.0),
            "layer": layer(
                {**_heads(fields), "bias": bias, "output_bias": bias, "dropout": fields.get("attention_dropout", 0.0)},
                {
                    "hidden": fields.get("ffn_hidden_size") or 4 * dim,
                    "activation": choose(fields, "activation", ACTIVATIONS, "gelu"),
                    "bias": bias,
                },
                norm,
                _wiring(fields),
            ),
        },
    }


def _heads(fields: Fields) -> dict[str, int]:
    """Of queries, and of keys and values: any number in the newer models, in the older one or as many."""
    heads = fields.get("n_head") or need(fields, "num_attention_heads")
    if fields.get("new_decoder_architecture", False):
        kv_heads = fields.get("num_kv_heads") or fields.get("n_head_kv") or heads
    else:
        kv_heads = 1 if fields.get("multi_query", True) else heads
    return {"heads": heads, "kv_heads": kv_heads}


def _wiring(fields: Fields) -> Wiring:
    if fields.get("new_decoder_architecture", False):
        return "one_norm" if fields.get("num_ln_in_parallel_attn") == 1 else "two_norms"
    return "one_norm" if fields.get("parallel_attn", True) else "sequential"


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    found, norm, position = parts(config), config.stack.norm, config.stack.position
    names = {ours: theirs for theirs, ours in ACTIVATIONS.items()}
    if found is None or not isinstance(norm, LayerNorm) or not isinstance(position, Alibi | Rope):
        return None
    if found.mlp.activation not in names:
        return None
    return {
        "vocab_size": config.embed.vocab,
        "hidden_size": config.dim,
        "ffn_hidden_size": found.mlp.hidden,
        "num_hidden_layers": config.stack.layers,
        **_written(found),
        "alibi": isinstance(position, Alibi),
        "max_position_embeddings": config.length,
        "activation": names[found.mlp.activation],
        "bias": found.mlp.bias,
        "layer_norm_epsilon": norm.eps,
        "hidden_dropout": config.stack.dropout,
        "attention_dropout": found.attention.dropout,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.tied,
        **(rope.write(position) if isinstance(position, Rope) else {}),
    }


def _written(found: Parts) -> dict[str, Any]:
    """Heads and wiring in their words: what the older models cannot say is the newer architecture."""
    heads, kv_heads = found.attention.heads, found.attention.kv_heads or found.attention.heads
    newer = found.wiring == "two_norms" or kv_heads not in (1, heads)
    return {
        "num_attention_heads": heads,
        "num_kv_heads": kv_heads,
        "multi_query": kv_heads == 1,
        "new_decoder_architecture": newer,
        "num_ln_in_parallel_attn": (1 + (found.wiring == "two_norms")) if newer else None,
        "parallel_attn": found.wiring != "sequential",
    }


def weights(config: Decoder) -> Table:
    """Where the weights are."""
    found, theirs = the_parts(config), "transformer.h.{layer}"
    ours, two = NAMES[found.wiring], found.wiring == "two_norms"
    return (
        Weight("transformer.word_embeddings.weight", ("embed.table.weight",)),
        Weight(f"{theirs}.{'ln_attn' if two else 'input_layernorm'}.*", (f"{ours.attention_norm}.*",)),
        Weight(f"{theirs}.{'ln_mlp' if two else 'post_attention_layernorm'}.*", (f"{ours.mlp_norm}.*",)),
        Weight(
            f"{theirs}.self_attention.query_key_value.*",
            (f"{ours.attention}.query.*", f"{ours.attention}.key.*", f"{ours.attention}.value.*"),
            Interleaved(found.attention.kv_heads or found.attention.heads),
        ),
        Weight(f"{theirs}.self_attention.dense.*", (f"{ours.attention}.output.*",)),
        Weight(f"{theirs}.mlp.dense_h_to_4h.*", (f"{ours.mlp}.up.*",)),
        Weight(f"{theirs}.mlp.dense_4h_to_h.*", (f"{ours.mlp}.output.*",)),
        Weight("transformer.ln_f.*", ("stack.final_norm.*",)),
        Weight("lm_head.weight", ("head.weight",)),
    )


FAMILY = Family(
    "falcon",
    "FalconForCausalLM",
    read,
    write,
    weights,
    prefix="transformer.",
    bare=("FalconModel",),
    copies={"lm_head.weight": "transformer.word_embeddings.weight"},
)
