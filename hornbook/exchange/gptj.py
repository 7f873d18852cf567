"""GPT-J (Wang and Komatsuzaki 2021): attention and MLP side by side behind one norm, and a head with a bias.

Its rotary positions turn neighbouring channels together, ours channels half a head apart. Which channel is which is a
matter of naming as long as queries and keys agree, so their rows are put in our order on the way in (`Halves`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hornbook.exchange.family import Family, Fields, choose, need
from hornbook.exchange.gpt2 import ACTIVATIONS
from hornbook.exchange.weights import Rows, Shape, Table, Weight
from hornbook.exchange.wiring import NAMES, layer, parts, the_parts
from hornbook.model.decoder import Decoder
from hornbook.model.init import Normal
from hornbook.model.norm import LayerNorm
from hornbook.model.rope import Rope


@dataclass(frozen=True)
class Halves(Rows):
    """Channels that turn together: in theirs next to each other, in ours in the two halves of what turns."""

    heads: int
    width: int  # channels of each head that turn

    def split(self, tensor: Tensor, parts: Sequence[Shape]) -> list[Tensor]:
        (whole,) = super().split(tensor, parts)
        turning, still = self._heads(whole)
        return [torch.cat([turning[:, 0::2], turning[:, 1::2], still], 1).flatten(0, 1)]

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        turning, still = self._heads(tensors[0])
        pairs = torch.stack(turning.chunk(2, 1), 2).flatten(1, 2)
        return torch.cat([pairs, still], 1).flatten(0, 1)

    def _heads(self, tensor: Tensor) -> list[Tensor]:
        """What turns in each head, and what does not."""
        heads = tensor.reshape(self.heads, -1, *tensor.shape[1:])
        return [heads[:, : self.width], heads[:, self.width :]]


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    dim, heads = need(fields, "n_embd"), need(fields, "n_head")
    norm = {"type": "layer_norm", "eps": fields.get("layer_norm_epsilon", 1e-5)}
    return {
        "dim": dim,
        "length": fields.get("n_positions", 2048),
        "head": {"tied": fields.get("tie_word_embeddings", False), "bias": True},
        "init": {"type": "normal", "std": fields.get("initializer_range", 0.02)},
        "embed": {"vocab": need(fields, "vocab_size"), "dropout": fields.get("embd_pdrop", 0.0)},
        "stack": {
            "layers": need(fields, "n_layer"),
            "norm": norm,
            "position": {"type": "rope", "share": need(fields, "rotary_dim") * heads / dim},
            "dropout": fields.get("resid_pdrop", 0.0),
            "layer": layer(
                {"heads": heads, "dropout": fields.get("attn_pdrop", 0.0)},
                {
                    "hidden": fields.get("n_inner") or 4 * dim,
                    "activation": choose(fields, "activation_function", ACTIVATIONS, "gelu_new"),
                    "bias": True,
                },
                norm,
                "one_norm",
            ),
        },
    }


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    found, norm, position = parts(config), config.stack.norm, config.stack.position
    names = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}
    if found is None or not isinstance(norm, LayerNorm) or not isinstance(position, Rope):
        return None
    if found.mlp.activation not in names:
        return None
    return {
        "vocab_size": config.embed.vocab,
        "n_embd": config.dim,
        "n_positions": config.length,
        "n_layer": config.stack.layers,
        "n_head": found.attention.heads,
        "n_inner": found.mlp.hidden,
        "rotary_dim": position.width(found.attention.width(config.dim)),
        "activation_function": names[found.mlp.activation],
        "layer_norm_epsilon": norm.eps,
        "embd_pdrop": config.embed.dropout,
        "resid_pdrop": config.stack.dropout,
        "attn_pdrop": found.attention.dropout,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.tied,
    }


def weights(config: Decoder) -> Table:
    """Where the weights are."""
    found, theirs, position = the_parts(config), "transformer.h.{layer}", config.stack.position
    assert isinstance(position, Rope)
    ours = NAMES[found.wiring]
    halves = Halves(found.attention.heads, position.width(found.attention.width(config.dim)))
    return (
        Weight("transformer.wte.weight", ("embed.table.weight",)),
        Weight(f"{theirs}.ln_1.*", (f"{ours.attention_norm}.*",)),
        Weight(f"{theirs}.attn.q_proj.weight", (f"{ours.attention}.query.weight",), halves),
        Weight(f"{theirs}.attn.k_proj.weight", (f"{ours.attention}.key.weight",), halves),
        Weight(f"{theirs}.attn.v_proj.weight", (f"{ours.attention}.value.weight",)),
        Weight(f"{theirs}.attn.out_proj.weight", (f"{ours.attention}.output.weight",)),
        Weight(f"{theirs}.mlp.fc_in.*", (f"{ours.mlp}.up.*",)),
        Weight(f"{theirs}.mlp.fc_out.*", (f"{ours.mlp}.output.*",)),
        Weight("transformer.ln_f.*", ("stack.final_norm.*",)),
        Weight("lm_head.*", ("head.*",)),
    )


FAMILY = Family(
    "gptj",
    "GPTJForCausalLM",
    read,
    write,
    weights,
    prefix="transformer.",
    bare=("GPTJModel",),
    ignored=r".*\.attn\.(bias|masked_bias)",  # the causal mask, in files of old
    copies={"lm_head.weight": "transformer.wte.weight"},
)
