"""RWKV-4 (Peng et al. 2023): the `rwkv-4-*-pile` and Raven models, as transformers keeps them.

`rescale_every` is not kept: transformers halves the stream (and what is written into it) every so many layers when it
does not train, lest fp16 overflows. Norms divide that out again up to their eps, so logits stay the same to 1e-4.
RWKV-5 and later, and the files of the `rwkv` package, are not read.
"""

from typing import Any

from hornbook.exchange.family import Family, Fields, expect, need
from hornbook.exchange.weights import Reshaped, Weight
from hornbook.model.decoder import Decoder
from hornbook.model.norm import LayerNorm
from hornbook.model.rwkv import ChannelMix, TimeMix

LAYER, BLOCK = "stack.layers.{layer}", "rwkv.blocks.{layer}"


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    expect(fields, layer_norm_epsilon=1e-5)  # the final norm's is not in the file, it is always this
    dim = need(fields, "hidden_size")
    return {
        "dim": dim,
        "length": fields.get("context_length", 1024),
        "embed": {"vocab": need(fields, "vocab_size"), "norm": "layer_norm"},
        "stack": {
            "layers": need(fields, "num_hidden_layers"),
            "norm": "layer_norm",
            "layer": [
                {"type": "time_mix", "hidden": fields.get("attention_hidden_size")},
                {"type": "channel_mix", "hidden": fields.get("intermediate_size") or 4 * dim},
            ],
        },
        "head": {"tied": fields.get("tie_word_embeddings", False)},
    }


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    stack = config.stack
    match stack.layer, stack.norm:
        case (TimeMix() as time, ChannelMix() as channel), LayerNorm() as norm:
            pass
        case _:
            return None
    return {
        "vocab_size": config.embed.vocab,
        "context_length": config.length,
        "hidden_size": config.dim,
        "num_hidden_layers": stack.layers,
        "attention_hidden_size": time.hidden,
        "intermediate_size": channel.hidden,
        "layer_norm_epsilon": norm.eps,
        "tie_word_embeddings": config.tied,
        # Their state is as wide as the stream: sums of another width they can compute, but not remember.
        "use_cache": time.hidden in (None, config.dim),
    }


def _mixes(part: str, op: str, names: tuple[str, ...]) -> tuple[Weight, ...]:
    """Shares of the step before: theirs are (1, 1, dim)."""
    layout = Reshaped((1, 1, -1))
    return tuple(Weight(f"{BLOCK}.{part}.time_mix_{name}", (f"{LAYER}.{op}.op.mix_{name}",), layout) for name in names)


WEIGHTS = (
    Weight("rwkv.embeddings.weight", ("embed.table.weight",)),
    Weight("rwkv.blocks.0.pre_ln.*", ("embed.norm.*",)),
    Weight(f"{BLOCK}.ln1.*", (f"{LAYER}.0.norm.*",)),
    *_mixes("attention", "0", ("key", "value", "receptance")),
    Weight(f"{BLOCK}.attention.time_decay", (f"{LAYER}.0.op.log_fall",)),
    Weight(f"{BLOCK}.attention.time_first", (f"{LAYER}.0.op.bonus",)),
    Weight(f"{BLOCK}.attention.key.weight", (f"{LAYER}.0.op.key.weight",)),
    Weight(f"{BLOCK}.attention.value.weight", (f"{LAYER}.0.op.value.weight",)),
    Weight(f"{BLOCK}.attention.receptance.weight", (f"{LAYER}.0.op.receptance.weight",)),
    Weight(f"{BLOCK}.attention.output.weight", (f"{LAYER}.0.op.output.weight",)),
    Weight(f"{BLOCK}.ln2.*", (f"{LAYER}.1.norm.*",)),
    *_mixes("feed_forward", "1", ("key", "receptance")),
    Weight(f"{BLOCK}.feed_forward.key.weight", (f"{LAYER}.1.op.key.weight",)),
    Weight(f"{BLOCK}.feed_forward.receptance.weight", (f"{LAYER}.1.op.receptance.weight",)),
    Weight(f"{BLOCK}.feed_forward.value.weight", (f"{LAYER}.1.op.output.weight",)),
    Weight("rwkv.ln_out.*", ("stack.final_norm.*",)),
    Weight("head.weight", ("head.weight",)),
)

FAMILY = Family(
    "rwkv",
    "RwkvForCausalLM",
    read,
    write,
    prefix="rwkv.",
    weights=WEIGHTS,
    bare=("RwkvModel",),
    copies={"head.weight": "rwkv.embeddings.weight"},
)
