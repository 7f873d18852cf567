"""Mamba (Gu and Dao 2023), as transformers keeps it: the `-hf` models of state-spaces, Falcon-Mamba's ancestors.

Falcon Mamba itself, Mamba 2 and the files of the `mamba_ssm` package (no `model_type`, other names) are not read.
"""

from typing import Any

from hornbook.exchange.family import Family, Fields, expect, need
from hornbook.exchange.weights import Reshaped, Weight
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.mamba import Mamba
from hornbook.model.norm import RMSNorm

LAYER, MIXER = "stack.layers.{layer}.0", "backbone.layers.{layer}.mixer"
LENGTH = 2048  # of the published models' training texts; their config.json does not say


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    expect(fields, hidden_act="silu")
    rank = fields.get("time_step_rank", "auto")
    mixer = {
        "type": "mamba",
        "state": fields.get("state_size", 16),
        "expand": fields.get("expand", 2),
        "width": fields.get("conv_kernel", 4),
        "rank": None if rank == "auto" else rank,
        "bias": fields.get("use_bias", False),
        "convolution_bias": fields.get("use_conv_bias", True),
    }
    return {
        "dim": need(fields, "hidden_size"),
        "length": fields.get("max_position_embeddings", LENGTH),
        "init": {"type": "normal", "std": fields.get("initializer_range", 0.1)},
        "embed": {"vocab": need(fields, "vocab_size")},
        "stack": {
            "layers": need(fields, "num_hidden_layers"),
            "norm": {"type": "rms_norm", "eps": fields.get("layer_norm_epsilon", 1e-5)},
            "layer": [mixer],
        },
        "head": {"tied": fields.get("tie_word_embeddings", True)},
    }


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    stack = config.stack
    match stack.layer, stack.norm:
        case (Mamba() as mixer,), RMSNorm() as norm:
            pass
        case _:
            return None
    return {
        "vocab_size": config.embed.vocab,
        "hidden_size": config.dim,
        "num_hidden_layers": stack.layers,
        "state_size": mixer.state,
        "expand": mixer.expand,
        "intermediate_size": mixer.expand * config.dim,
        "conv_kernel": mixer.width,
        "time_step_rank": "auto" if mixer.rank is None else mixer.rank,
        "use_bias": mixer.bias,
        "use_conv_bias": mixer.convolution_bias,
        "hidden_act": "silu",
        "layer_norm_epsilon": norm.eps,
        "max_position_embeddings": config.length,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.1,
        "tie_word_embeddings": config.tied,
    }


def weights(config: Decoder) -> tuple[Weight, ...]:
    """Where the weights are; the rates lie as (channels, state), which a vector does not tell."""
    mixer = config.stack.plan()[0][0]
    assert isinstance(mixer, Mamba)
    return (
        Weight("backbone.embeddings.weight", ("embed.table.weight",)),
        Weight("backbone.layers.{layer}.norm.weight", (f"{LAYER}.norm.weight",)),
        Weight(f"{MIXER}.in_proj.*", (f"{LAYER}.op.input.*",)),
        Weight(f"{MIXER}.conv1d.*", (f"{LAYER}.op.convolution.*",)),
        Weight(f"{MIXER}.x_proj.*", (f"{LAYER}.op.select.*",)),
        Weight(f"{MIXER}.dt_proj.*", (f"{LAYER}.op.step.*",)),
        Weight(f"{MIXER}.A_log", (f"{LAYER}.op.log_rate",), Reshaped((-1, mixer.state))),
        Weight(f"{MIXER}.D", (f"{LAYER}.op.skip",)),
        Weight(f"{MIXER}.out_proj.*", (f"{LAYER}.op.output.*",)),
        Weight("backbone.norm_f.weight", ("stack.final_norm.weight",)),
        Weight("lm_head.weight", ("head.weight",)),
    )


FAMILY = Family(
    "mamba",
    "MambaForCausalLM",
    read,
    write,
    prefix="backbone.",
    weights=weights,
    bare=("MambaModel",),
    copies={"lm_head.weight": "backbone.embeddings.weight"},
)
