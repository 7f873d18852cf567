"""GPT-NeoX (Black et al. 2022) and Pythia (Biderman et al. 2023): attention and MLP side by side, each with its norm.

A quarter of each head's channels turn by position; query, key and value of each head lie side by side in one matrix.
"""

from typing import Any

from hornbook.exchange import rope
from hornbook.exchange.family import Family, Fields, choose, need
from hornbook.exchange.weights import Interleaved, Table, Weight
from hornbook.exchange.wiring import NAMES, layer, parts, the_parts
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.norm import LayerNorm
from hornbook.model.rope import Rope

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
}


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    norm, bias = {"type": "layer_norm", "eps": fields.get("layer_norm_eps", 1e-5)}, fields.get("attention_bias", True)
    return {
        "dim": need(fields, "hidden_size"),
        "length": fields.get("max_position_embeddings", 2048),
        "head": {"tied": fields.get("tie_word_embeddings", False)},
        "init": {"type": "normal", "std": fields.get("initializer_range", 0.02)},
        "embed": {"vocab": need(fields, "vocab_size"), "dropout": fields.get("hidden_dropout", 0.0)},
        "stack": {
            "layers": need(fields, "num_hidden_layers"),
            "norm": norm,
            "position": rope.read(_renamed(fields)),
            "dropout": fields.get("hidden_dropout", 0.0),
            "layer": layer(
                {
                    "heads": need(fields, "num_attention_heads"),
                    "bias": bias,
                    "output_bias": bias,
                    "dropout": fields.get("attention_dropout", 0.0),
                },
                {
                    "hidden": need(fields, "intermediate_size"),
                    "activation": choose(fields, "hidden_act", ACTIVATIONS, "gelu"),
                    "bias": True,
                },
                norm,
                "two_norms" if fields.get("use_parallel_residual", True) else "sequential",
            ),
        },
    }


def _renamed(fields: Fields) -> dict[str, Any]:
    """The family's own words for what others say of rotary positions, and its own defaults."""
    said = fields.get("rope_parameters") or fields.get("rope_scaling") or {}
    own = {
        "rope_theta": fields.get("rotary_emb_base", 10_000.0),
        "partial_rotary_factor": fields.get("rotary_pct", 0.25),
    }
    return {**fields, "rope_parameters": own | said}


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    found, norm, position = parts(config), config.stack.norm, config.stack.position
    names = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}
    if found is None or not isinstance(norm, LayerNorm) or not isinstance(position, Rope):
        return None
    if found.mlp.activation not in names:
        return None
    said = rope.write(position)["rope_parameters"]
    return {
        "vocab_size": config.embed.vocab,
        "hidden_size": config.dim,
        "intermediate_size": found.mlp.hidden,
        "num_hidden_layers": config.stack.layers,
        "num_attention_heads": found.attention.heads,
        "max_position_embeddings": config.length,
        "layer_norm_eps": norm.eps,
        "hidden_act": names[found.mlp.activation],
        "use_parallel_residual": found.wiring == "two_norms",
        "attention_bias": found.attention.bias,
        "hidden_dropout": config.stack.dropout,
        "attention_dropout": found.attention.dropout,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.tied,
        "rope_parameters": said | {"partial_rotary_factor": position.share},  # theirs is a quarter if nothing is said
        "rotary_pct": position.share,
        "rotary_emb_base": position.base,
    }


def weights(config: Decoder) -> Table:
    """Where the weights are."""
    found, theirs = the_parts(config), "gpt_neox.layers.{layer}"
    ours = NAMES[found.wiring]
    return (
        Weight("gpt_neox.embed_in.weight", ("embed.table.weight",)),
        Weight(f"{theirs}.input_layernorm.*", (f"{ours.attention_norm}.*",)),
        Weight(
            f"{theirs}.attention.query_key_value.*",
            (f"{ours.attention}.query.*", f"{ours.attention}.key.*", f"{ours.attention}.value.*"),
            Interleaved(found.attention.heads),
        ),
        Weight(f"{theirs}.attention.dense.*", (f"{ours.attention}.output.*",)),
        Weight(f"{theirs}.post_attention_layernorm.*", (f"{ours.mlp_norm}.*",)),
        Weight(f"{theirs}.mlp.dense_h_to_4h.*", (f"{ours.mlp}.up.*",)),
        Weight(f"{theirs}.mlp.dense_4h_to_h.*", (f"{ours.mlp}.output.*",)),
        Weight("gpt_neox.final_layer_norm.*", ("stack.final_norm.*",)),
        Weight("embed_out.weight", ("head.weight",)),
    )


FAMILY = Family(
    "gpt_neox",
    "GPTNeoXForCausalLM",
    read,
    write,
    weights,
    prefix="gpt_neox.",
    bare=("GPTNeoXModel",),
    ignored=r".*\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)",  # computed, yet stored in files of old
    copies={"embed_out.weight": "gpt_neox.embed_in.weight"},
)
