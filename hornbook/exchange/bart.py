"""BART (Lewis et al. 2020), and Marian, which is the Transformer of 2017 (Vaswani et al.; Junczys-Dowmunt et al. 2018).

Both are post-norm with biases everywhere and one table for source, target and head. BART learns its positions and norms
what it embeds; Marian's positions are sinusoidal. Left out: BART's classifiers; mBART, Pegasus and other relatives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hornbook.exchange.family import Family, Fields, choose, need
from hornbook.exchange.weights import Rows, Shape, Table, Weight
from hornbook.model.attention import Attention
from hornbook.model.cross import CrossAttention
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.model.init import Normal
from hornbook.model.mlp import MLP
from hornbook.model.norm import LayerNorm
from hornbook.model.stack import Stack

ACTIVATIONS = {"gelu": "gelu", "relu": "relu", "silu": "silu", "swish": "silu", "gelu_new": "gelu_tanh"}
NORM = {"type": "layer_norm", "eps": 1e-5}  # not to be chosen in this family


def read_bart(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    data = _read(fields, {"type": "learned", "offset": 2})
    data["source"]["norm"] = NORM
    return data


def read_marian(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    data = _read(fields, {"type": "sinusoidal"})
    if not fields.get("share_encoder_decoder_embeddings", True):
        vocab = fields.get("decoder_vocab_size") or need(fields, "vocab_size")
        data["target"] = {**data["source"], "vocab": vocab}
    return data


def _read(fields: Fields, position: dict[str, Any]) -> dict[str, Any]:
    dropout = fields.get("dropout", 0.1)
    return {
        "type": "encoder_decoder",
        "dim": fields.get("d_model", 1024),
        "length": fields.get("max_position_embeddings", 1024),
        "init": {"type": "normal", "std": fields.get("init_std", 0.02)},
        "source": {
            "vocab": need(fields, "vocab_size"),
            "scaled": fields.get("scale_embedding", False),
            "dropout": dropout,
        },
        "encoder": _stack(fields, "encoder", position),
        "decoder": _stack(fields, "decoder", position),
        "head": {"tied": fields.get("tie_word_embeddings", True), "bias": True},
    }


def _stack(fields: Fields, side: str, position: dict[str, Any]) -> dict[str, Any]:
    """One side; a decoder looks at the memory between its own text and its MLP."""
    heads, biases = fields.get(f"{side}_attention_heads", 16), {"bias": True, "output_bias": True}
    attention = {"heads": heads, "dropout": fields.get("attention_dropout", 0.0), **biases}
    activation = choose(fields, "activation_function", ACTIVATIONS, "gelu")
    mlp = {"type": "mlp", "hidden": fields.get(f"{side}_ffn_dim", 4096), "activation": activation, "bias": True}
    cross = [{"type": "cross_attention", **attention}] if side == "decoder" else []
    return {
        "layers": fields.get(f"{side}_layers", 12),
        "placement": "post",
        "norm": NORM,
        "position": position,
        "dropout": fields.get("dropout", 0.1),
        "layer": [{"type": "attention", "causal": side == "decoder", **attention}, *cross, mlp],
    }


def write_bart(config: EncoderDecoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    return _write(config)


def write_marian(config: EncoderDecoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    fields = _write(config)
    return fields and fields | {
        "decoder_vocab_size": config.vocab,
        "share_encoder_decoder_embeddings": config.target is None,
    }


def _write(config: EncoderDecoder) -> dict[str, Any] | None:
    sides = {"encoder": _side(config.encoder), "decoder": _side(config.decoder)}
    if None in sides.values():
        return None
    fields: dict[str, Any] = {
        "is_encoder_decoder": True,
        "vocab_size": config.source.vocab,
        "d_model": config.dim,
        "max_position_embeddings": config.length,
        "scale_embedding": config.source.scaled,
        "dropout": config.encoder.dropout,
        "init_std": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": config.head.tied,
    }
    for side, found in sides.items():
        assert found is not None
        attention, mlp = found
        fields |= {
            "attention_dropout": attention.dropout,
            "activation_function": {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}[mlp.activation],
            f"{side}_layers": (config.encoder if side == "encoder" else config.decoder).layers,
            f"{side}_attention_heads": attention.heads,
            f"{side}_ffn_dim": mlp.hidden,
        }
    return fields


def _side(stack: Stack) -> tuple[Attention, MLP] | None:
    match stack.layer, stack.norm:
        case (Attention() as attention, MLP() as mlp), LayerNorm():
            pass
        case (Attention() as attention, CrossAttention(), MLP() as mlp), LayerNorm():
            pass
        case _:
            return None
    return (attention, mlp) if mlp.activation in ACTIVATIONS.values() else None


@dataclass(frozen=True)
class OneRow(Rows):
    """A vector of ours as the only row of a matrix of theirs."""

    def shape(self, parts: Sequence[Shape]) -> Shape:
        return (1, *super().shape(parts))

    def split(self, tensor: Tensor, parts: Sequence[Shape]) -> list[Tensor]:
        return super().split(tensor[0], parts)

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(tensors))


def _weights() -> Table:
    rows = [
        Weight("final_logits_bias", ("head.bias",), OneRow()),
        Weight("model.shared.weight", ("source.table.weight",)),
        Weight("model.encoder.embed_tokens.weight", ("source.table.weight",)),
        Weight("model.decoder.embed_tokens.weight", ("target.table.weight",)),
        Weight("lm_head.weight", ("head.weight",)),
    ]
    for side, embed in ("encoder", "source"), ("decoder", "target"):
        theirs, ours = f"model.{side}.layers.{{layer}}", f"{side}.layers.{{layer}}"
        last = 2 if side == "decoder" else 1
        rows += [
            Weight(f"model.{side}.embed_positions.weight", (f"{side}.position.table.weight",)),
            Weight(f"model.{side}.layernorm_embedding.*", (f"{embed}.norm.*",)),
            *_attention(f"{theirs}.self_attn", f"{ours}.0"),
            Weight(f"{theirs}.fc1.*", (f"{ours}.{last}.op.up.*",)),
            Weight(f"{theirs}.fc2.*", (f"{ours}.{last}.op.output.*",)),
            Weight(f"{theirs}.final_layer_norm.*", (f"{ours}.{last}.norm.*",)),
        ]
    return (*rows, *_attention("model.decoder.layers.{layer}.encoder_attn", "decoder.layers.{layer}.1"))


def _attention(theirs: str, ours: str) -> list[Weight]:
    names = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "output"}
    rows = [Weight(f"{theirs}.{name}.*", (f"{ours}.op.{our}.*",)) for name, our in names.items()]
    return [*rows, Weight(f"{theirs}_layer_norm.*", (f"{ours}.norm.*",))]


def _shared(config: EncoderDecoder) -> Table:
    """Marian's tables have names of their own where source and target differ."""
    unused = "model.shared.weight" if config.target else "model.encoder.embed_tokens.weight"
    return tuple(weight for weight in _weights() if weight.theirs != unused)


TABLES = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")
COPIES = dict.fromkeys(TABLES, "model.shared.weight")
BART = Family(
    "bart",
    "BartForConditionalGeneration",
    read_bart,
    write_bart,
    _shared,
    shape=EncoderDecoder,
    prefix="model.",
    copies=COPIES,
)
MARIAN = Family(
    "marian",
    "MarianMTModel",
    read_marian,
    write_marian,
    _shared,
    shape=EncoderDecoder,
    prefix="model.",
    ignored=r"model\.(encoder|decoder)\.embed_positions\.weight",  # computed, yet stored in files of old
    copies=COPIES,
)
