"""BLOOM (BigScience 2022, section 3.2): ALiBi in place of positions, and a norm right after the embedding.

Query, key and value of each head lie side by side in one matrix. Its config.json does not say a length, for the design
has no limit; the one in training is kept as `seq_length`.
"""

from typing import Any

from hornbook.exchange.family import Family, Fields, expect, need
from hornbook.exchange.weights import Interleaved, Table, Weight
from hornbook.exchange.wiring import LAYER, layer, parts, the_parts
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.norm import LayerNorm


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    expect(fields, apply_residual_connection_post_layernorm=False)
    dim = fields.get("n_embed") or need(fields, "hidden_size")
    norm = {"type": "layer_norm", "eps": fields.get("layer_norm_epsilon", 1e-5)}
    return {
        "dim": dim,
        "length": fields.get("seq_length", 2048),
        "head": {"tied": fields.get("tie_word_embeddings", True)},
        "init": {"type": "normal", "std": fields.get("initializer_range", 0.02)},
        "embed": {"vocab": need(fields, "vocab_size"), "norm": norm},
        "stack": {
            "layers": fields.get("num_hidden_layers") or need(fields, "n_layer"),
            "norm": norm,
            "position": "alibi",
            "dropout": fields.get("hidden_dropout", 0.0),
            "layer": layer(
                {
                    "heads": fields.get("num_attention_heads") or need(fields, "n_head"),
                    "bias": True,
                    "output_bias": True,
                    "dropout": fields.get("attention_dropout", 0.0),
                },
                {"hidden": 4 * dim, "activation": "gelu_tanh", "bias": True},
                norm,
                "sequential",
            ),
        },
    }


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    found, norm = parts(config), config.stack.norm
    if found is None or not isinstance(norm, LayerNorm):
        return None
    return {
        "vocab_size": config.embed.vocab,
        "hidden_size": config.dim,
        "seq_length": config.length,
        "n_layer": config.stack.layers,
        "n_head": found.attention.heads,
        "layer_norm_epsilon": norm.eps,
        "hidden_dropout": config.stack.dropout,
        "attention_dropout": found.attention.dropout,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.tied,
    }


def weights(config: Decoder) -> Table:
    """Where the weights are."""
    theirs = "transformer.h.{layer}"
    return (
        Weight("transformer.word_embeddings.weight", ("embed.table.weight",)),
        Weight("transformer.word_embeddings_layernorm.*", ("embed.norm.*",)),
        Weight(f"{theirs}.input_layernorm.*", (f"{LAYER}.0.norm.*",)),
        Weight(
            f"{theirs}.self_attention.query_key_value.*",
            (f"{LAYER}.0.op.query.*", f"{LAYER}.0.op.key.*", f"{LAYER}.0.op.value.*"),
            Interleaved(the_parts(config).attention.heads),
        ),
        Weight(f"{theirs}.self_attention.dense.*", (f"{LAYER}.0.op.output.*",)),
        Weight(f"{theirs}.post_attention_layernorm.*", (f"{LAYER}.1.norm.*",)),
        Weight(f"{theirs}.mlp.dense_h_to_4h.*", (f"{LAYER}.1.op.up.*",)),
        Weight(f"{theirs}.mlp.dense_4h_to_h.*", (f"{LAYER}.1.op.output.*",)),
        Weight("transformer.ln_f.*", ("stack.final_norm.*",)),
        Weight("lm_head.weight", ("head.weight",)),
    )


FAMILY = Family(
    "bloom",
    "BloomForCausalLM",
    read,
    write,
    weights,
    prefix="transformer.",
    bare=("BloomModel",),
    copies={"lm_head.weight": "transformer.word_embeddings.weight"},
)
