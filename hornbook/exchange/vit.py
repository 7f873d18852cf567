"""The Vision Transformer (Dosovitskiy et al. 2021): an image in patches through a pre-norm encoder.

Its matrix of pixels is written as a convolution, its class token and positions with axes of length one in front.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.exchange import bert, encoder_heads
from hornbook.exchange.encoder_heads import Parts
from hornbook.exchange.family import Family, Fields, expect, need
from hornbook.exchange.quirks import Quirks
from hornbook.exchange.weights import Rows, Shape, Table, Weight
from hornbook.model.attention import Attention
from hornbook.model.classifier import Regression, SequenceClassifier
from hornbook.model.encoder import Encoder
from hornbook.model.init import Normal
from hornbook.model.mlp import MLP
from hornbook.model.norm import LayerNorm
from hornbook.model.patches import Patches
from hornbook.model.pool import Pooled
from hornbook.model.position import Learned

LAYER = bert.LAYER
IMAGE = "ForImageClassification"
KINDS = {Pooled: "Model", SequenceClassifier: IMAGE, Regression: IMAGE}


@dataclass(frozen=True)
class Shaped(Rows):
    """The same numbers with other axes."""

    axes: Shape

    def shape(self, parts: Any) -> Shape:  # noqa: ARG002 -- whatever the parts, the axes are known
        return self.axes

    def split(self, tensor: Tensor, parts: Any) -> list[Tensor]:
        return [tensor.reshape(parts[0])]

    def join(self, tensors: Any) -> Tensor:
        whole: Tensor = tensors[0].reshape(self.axes)
        return whole


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    dim, dropout = need(fields, "hidden_size"), fields.get("hidden_dropout_prob", 0.0)
    expect({"pooler_output_size": fields.get("pooler_output_size") or dim}, pooler_output_size=dim)
    expect(fields, pooler_act="tanh")
    sides = {"image": _side(fields, "image_size", 224), "patch": _side(fields, "patch_size", 16)}
    body = bert.read_body({"vocab_size": 1, **fields})
    layer = bert.layer({"attention_probs_dropout_prob": 0.0, **fields})
    layer[0]["bias"] = fields.get("qkv_bias", True)
    return {
        **body,
        "length": (sides["image"] // sides["patch"]) ** 2 + 1,
        "embed": {"type": "patches", **sides, "channels": fields.get("num_channels", 3), "dropout": dropout},
        "stack": {**body["stack"], "placement": "pre", "dropout": dropout, "layer": layer},
        "head": encoder_heads.read(fields, Parts("ViT", pooling={"take": "first", "activation": None})),
    }


def _side(fields: Fields, key: str, default: int) -> int:
    """The side of a square, which may be written twice."""
    value = fields.get(key) or default
    sides = list(value) if isinstance(value, list | tuple) else [value]
    if len(set(sides)) > 1:
        raise UserError(f"config.json: {key} is {value}; only squares are supported")
    return int(sides[0])


def write(config: Encoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    stack, head = config.stack, encoder_heads.write(config.head, "ViT", KINDS)
    match stack.layer, stack.norm, stack.position, config.embed:
        case (Attention() as attention, MLP() as mlp), LayerNorm() as norm, Learned(), Patches() as patches:
            pass
        case _:
            return None
    names = {ours: theirs for theirs, ours in reversed(bert.ACTIVATIONS.items())}
    if head is None or mlp.activation not in names:
        return None
    return {
        "hidden_size": config.dim,
        "num_hidden_layers": stack.layers,
        "num_attention_heads": attention.heads,
        "intermediate_size": mlp.hidden,
        "hidden_act": names[mlp.activation],
        "qkv_bias": attention.bias,
        "hidden_dropout_prob": stack.dropout,
        "attention_probs_dropout_prob": attention.dropout,
        "layer_norm_eps": norm.eps,
        "image_size": patches.image,
        "patch_size": patches.patch,
        "num_channels": patches.channels,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        **head,
    }


def weights(config: Encoder) -> Table:
    """All tensors; some have other axes."""
    assert isinstance(config.embed, Patches)
    dim, side = config.dim, config.embed.patch
    pixels = Shaped((dim, config.embed.channels, side, side))
    theirs = "vit.encoder.layer.{layer}"
    return (
        Weight("vit.embeddings.cls_token", ("embed.first.weight",), Shaped((1, 1, dim))),
        Weight("vit.embeddings.position_embeddings", ("stack.position.table.weight",), Shaped((1, config.length, dim))),
        Weight("vit.embeddings.patch_embeddings.projection.weight", ("embed.pixels.weight",), pixels),
        Weight("vit.embeddings.patch_embeddings.projection.bias", ("embed.pixels.bias",)),
        Weight(f"{theirs}.layernorm_before.*", (f"{LAYER}.0.norm.*",)),
        Weight(f"{theirs}.attention.attention.query.*", (f"{LAYER}.0.op.query.*",)),
        Weight(f"{theirs}.attention.attention.key.*", (f"{LAYER}.0.op.key.*",)),
        Weight(f"{theirs}.attention.attention.value.*", (f"{LAYER}.0.op.value.*",)),
        Weight(f"{theirs}.attention.output.dense.*", (f"{LAYER}.0.op.output.*",)),
        Weight(f"{theirs}.layernorm_after.*", (f"{LAYER}.1.norm.*",)),
        Weight(f"{theirs}.intermediate.dense.*", (f"{LAYER}.1.op.up.*",)),
        Weight(f"{theirs}.output.dense.*", (f"{LAYER}.1.op.output.*",)),
        Weight("vit.layernorm.*", ("stack.final_norm.*",)),
        Weight("vit.pooler.dense.*", ("head.pooler.dense.*",)),
        Weight("classifier.*", ("head.labels.*",)),
    )


FAMILY = Family(
    "vit",
    "ViTModel",
    read,
    write,
    weights,
    shape=Encoder,
    prefix="vit.",
    bare=("ViTModel",),
    quirks=Quirks(unsaid=partial(encoder_heads.unsaid, "ViT", "no words", "no pairs")),
)
