"""T5 (Raffel et al. 2020) and T5 v1.1 (Shazeer 2020): every task is text to text.

Pre-norm with RMS norm, no biases, bucketed relative positions that all layers of a side share, scores that are not
scaled. v1.1 gates its MLP and lets the head be: the first T5 ties it to the table and divides by sqrt(dim).
"""

from typing import Any

from hornbook.core.errors import UserError
from hornbook.exchange.family import Family, Fields, need
from hornbook.exchange.weights import Table, Weight
from hornbook.model.attention import Attention
from hornbook.model.buckets import Buckets
from hornbook.model.cross import CrossAttention
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.norm import RMSNorm
from hornbook.model.stack import Stack

MLPS = {
    "relu": ("mlp", "relu"),
    "gelu": ("mlp", "gelu"),
    "silu": ("mlp", "silu"),
    "gated-gelu": ("gated_mlp", "gelu_tanh"),
    "gated-silu": ("gated_mlp", "silu"),
    "gated-relu": ("gated_mlp", "relu"),
}
LENGTH = 512  # of the rows T5 was trained on; its positions know no limit


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    tied = fields.get("tie_word_embeddings", True) is not False
    return {
        "type": "encoder_decoder",
        "dim": need(fields, "d_model"),
        "length": fields.get("n_positions", LENGTH),
        "source": {"vocab": need(fields, "vocab_size"), "dropout": fields.get("dropout_rate", 0.1)},
        "encoder": _stack(fields, "encoder"),
        "decoder": _stack(fields, "decoder"),
        "head": {"tied": tied, "scaled": fields.get("scale_decoder_outputs", tied)},
    }


def _stack(fields: Fields, side: str) -> dict[str, Any]:
    asked = fields.get("feed_forward_proj", "relu")
    if asked not in MLPS:
        raise UserError(f"config.json: feed_forward_proj is {asked!r}; known are {', '.join(MLPS)}")
    kind, activation = MLPS[asked]
    dropout, decodes = fields.get("dropout_rate", 0.1), side == "decoder"
    attention = {"heads": need(fields, "num_heads"), "head_dim": need(fields, "d_kv"), "scale": 1.0, "dropout": dropout}
    layers = need(fields, "num_layers")
    return {
        "layers": (fields.get("num_decoder_layers") or layers) if decodes else layers,
        "norm": {"type": "rms_norm", "eps": fields.get("layer_norm_epsilon", 1e-6)},
        "position": {
            "type": "buckets",
            "buckets": fields.get("relative_attention_num_buckets", 32),
            "max_distance": fields.get("relative_attention_max_distance", 128),
            "bidirectional": not decodes,
        },
        "dropout": dropout,
        "layer": [
            {"type": "attention", "causal": decodes, **attention},
            *([{"type": "cross_attention", **attention}] if decodes else []),
            {"type": kind, "hidden": need(fields, "d_ff"), "activation": activation},
        ],
    }


def write(config: EncoderDecoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    side, other = _side(config.encoder), _side(config.decoder)
    if side is None or other is None:
        return None
    attention, mlp, norm, position = side
    kind = "mlp" if isinstance(mlp, MLP) else "gated_mlp"
    names = [name for name, known in MLPS.items() if known == (kind, mlp.activation)]
    return {
        "is_encoder_decoder": True,
        "vocab_size": config.source.vocab,
        "n_positions": config.length,
        "d_model": config.dim,
        "d_kv": attention.width(config.dim),
        "d_ff": mlp.hidden,
        "num_layers": config.encoder.layers,
        "num_decoder_layers": config.decoder.layers,
        "num_heads": attention.heads,
        "relative_attention_num_buckets": position.buckets,
        "relative_attention_max_distance": position.max_distance,
        "dropout_rate": config.encoder.dropout,
        "layer_norm_epsilon": norm.eps,
        "feed_forward_proj": names[0] if names else "relu",
        "tie_word_embeddings": config.head.tied,
        "scale_decoder_outputs": config.head.scaled,
    }


def _side(stack: Stack) -> tuple[Attention, MLP | GatedMLP, RMSNorm, Buckets] | None:
    match stack.layer, stack.norm, stack.position:
        case (Attention() as attention, (MLP() | GatedMLP()) as mlp), RMSNorm() as norm, Buckets() as position:
            return attention, mlp, norm, position
        case (Attention() as attention, CrossAttention(), (MLP() | GatedMLP()) as mlp), RMSNorm() as norm, position:
            return (attention, mlp, norm, position) if isinstance(position, Buckets) else None
    return None


def _weights() -> Table:
    rows = [Weight("shared.weight", ("source.table.weight",)), Weight("lm_head.weight", ("head.weight",))]
    for side, last in ("encoder", 1), ("decoder", 2):
        theirs, ours = f"{side}.block.{{layer}}.layer", f"{side}.layers.{{layer}}"
        bias = f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        rows += [
            Weight(bias, (f"{side}.position.table.weight",)),
            *_attention(f"{theirs}.0.SelfAttention", f"{ours}.0.op"),
            Weight(f"{theirs}.{last}.DenseReluDense.wi.*", (f"{ours}.{last}.op.up.*",)),
            Weight(f"{theirs}.{last}.DenseReluDense.wo.*", (f"{ours}.{last}.op.output.*",)),
            Weight(f"{side}.final_layer_norm.weight", (f"{side}.final_norm.weight",)),
            *(Weight(f"{theirs}.{i}.layer_norm.weight", (f"{ours}.{i}.norm.weight",)) for i in range(last + 1)),
        ]
    return (*rows, *_attention("decoder.block.{layer}.layer.1.EncDecAttention", "decoder.layers.{layer}.1.op"))


def _attention(theirs: str, ours: str) -> list[Weight]:
    names = {"q": "query", "k": "key", "v": "value", "o": "output"}
    return [Weight(f"{theirs}.{name}.weight", (f"{ours}.{our}.weight",)) for name, our in names.items()]


def _gated(table: Table) -> Table:
    """v1.1's MLP: wi_0 is the gate, wi_1 what goes through it."""
    rows: list[Weight] = []
    for row in table:
        if ".wi." in row.theirs:
            gate = tuple(name.replace(".up.", ".gate.") for name in row.ours)
            rows += [Weight(row.theirs.replace(".wi.", ".wi_0."), gate)]
            rows += [Weight(row.theirs.replace(".wi.", ".wi_1."), row.ours)]
        else:
            rows.append(row)
    return tuple(rows)


def weights(config: EncoderDecoder) -> Table:
    """Where the weights of a design are."""
    plain = any(isinstance(sublayer, MLP) for layer in config.encoder.plan() for sublayer in layer)
    return _weights() if plain else _gated(_weights())


TABLES = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")
T5 = Family(
    "t5",
    "T5ForConditionalGeneration",
    read,
    write,
    weights,
    shape=EncoderDecoder,
    copies=dict.fromkeys(TABLES, "shared.weight"),
)
