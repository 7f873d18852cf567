"""GPT (Radford et al. 2018): the decoder of the Transformer alone; GPT-2's parts with the norms after the sums."""

from typing import Any

from hornbook.exchange import gpt2
from hornbook.exchange.family import Family, Fields, choose
from hornbook.exchange.gpt2 import LAYER
from hornbook.exchange.weights import TRANSPOSED, Weight
from hornbook.model.decoder import Decoder

ACTIVATIONS = {"gelu": "gelu_tanh", "relu": "relu", "silu": "silu"}  # what their file calls gelu is the approximation


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    data = gpt2.read({"n_positions": 512, **fields})
    data["stack"]["placement"] = "post"
    data["stack"]["layer"][1]["activation"] = choose(fields, "afn", ACTIVATIONS, "gelu")
    return data


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    fields = gpt2.write(config)
    names = {ours: theirs for theirs, ours in ACTIVATIONS.items()}
    if fields is None or config.stack.layer[1].activation not in names:  # type: ignore[index, union-attr]  # gpt2 saw it
        return None
    fields["afn"] = names[config.stack.layer[1].activation]  # type: ignore[index, union-attr]
    return {key: value for key, value in fields.items() if key not in ("activation_function", "n_inner")}


FAMILY = Family(
    "openai-gpt",
    "OpenAIGPTLMHeadModel",
    read,
    write,
    prefix="transformer.",
    ignored=r".*\.attn\.bias",  # the causal mask, in files of old
    bare=("OpenAIGPTModel",),
    copies={"lm_head.weight": "transformer.tokens_embed.weight"},
    weights=(
        Weight("transformer.tokens_embed.weight", ("embed.table.weight",)),
        Weight("transformer.positions_embed.weight", ("stack.position.table.weight",)),
        Weight(
            "transformer.h.{layer}.attn.c_attn.*",
            (f"{LAYER}.0.op.query.*", f"{LAYER}.0.op.key.*", f"{LAYER}.0.op.value.*"),
            TRANSPOSED,
        ),
        Weight("transformer.h.{layer}.attn.c_proj.*", (f"{LAYER}.0.op.output.*",), TRANSPOSED),
        Weight("transformer.h.{layer}.ln_1.*", (f"{LAYER}.0.norm.*",)),
        Weight("transformer.h.{layer}.mlp.c_fc.*", (f"{LAYER}.1.op.up.*",), TRANSPOSED),
        Weight("transformer.h.{layer}.mlp.c_proj.*", (f"{LAYER}.1.op.output.*",), TRANSPOSED),
        Weight("transformer.h.{layer}.ln_2.*", (f"{LAYER}.1.norm.*",)),
        Weight("lm_head.weight", ("head.weight",)),
    ),
)
