"""ALBERT (Lan et al. 2020): BERT with a narrow table and the same weights in every layer, so that 12 million do.

`num_hidden_groups` is how many layers there are that differ, each applied several times in a row; a group of several
(`inner_group_num`) is one layer of twice as many sublayers. Pretraining asks which of two texts came first.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from hornbook.core.errors import UserError
from hornbook.exchange import bert, encoder_heads
from hornbook.exchange.family import Family, Fields, need
from hornbook.exchange.quirks import Quirks
from hornbook.exchange.weights import Table, Weight
from hornbook.model.embed import Tokens
from hornbook.model.encoder import Encoder
from hornbook.model.pool import NextSentence

LAYER = bert.LAYER
KINDS = {head: kind for head, kind in encoder_heads.KINDS.items() if head is not NextSentence}


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    fields = {"hidden_act": "gelu_new", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, **fields}
    data = bert.read_body(fields)
    layers, groups = need(fields, "num_hidden_layers"), fields.get("num_hidden_groups", 1)
    if layers % groups:
        raise UserError(f"config.json: {groups} num_hidden_groups do not divide {layers} num_hidden_layers; change one")
    data["embed"]["width"] = fields.get("embedding_size", 128)
    data["stack"] |= {"layers": groups, "repeats": layers // groups}
    data["stack"]["layer"] *= fields.get("inner_group_num", 1)
    dropout = fields.get("classifier_dropout_prob", 0.1)
    parts = replace(bert.parts(fields, "Albert"), dropout=dropout, pair_dropout=dropout)
    return {**data, "head": encoder_heads.read(fields, parts)}


def write(config: Encoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    body, head = bert.write_body(config), encoder_heads.write(config.head, "Albert", KINDS)
    if body is None or head is None or not isinstance(config.embed, Tokens) or config.embed.width is None:
        return None
    dropout, stack = encoder_heads.dropout(config.head), config.stack
    del body["classifier_dropout"]
    return {
        **body,
        **head,
        "embedding_size": config.embed.width,
        "num_hidden_layers": stack.layers * stack.repeats,
        "num_hidden_groups": stack.layers,
        "inner_group_num": len(stack.layer) // 2,
        "classifier_dropout_prob": 0.1 if dropout is None else dropout,
    }


def weights(config: Encoder) -> Table:
    """All tensors; an untied table of words has its bias beside it."""
    bias = "predictions.bias" if encoder_heads.tied(config.head) else "predictions.decoder.bias"
    inner = (_layer(number) for number in range(len(config.stack.plan()[0]) // 2))
    return (
        *bert.body("albert")[:4],
        Weight("albert.encoder.embedding_hidden_mapping_in.*", ("embed.widen.*",)),
        *(weight for layer in inner for weight in layer),
        Weight("albert.pooler.*", ("head.pooler.dense.*",)),
        Weight("albert.pooler.*", ("pair.pooler.dense.*",)),
        Weight("predictions.dense.*", ("head.dense.*",)),
        Weight("predictions.LayerNorm.*", ("head.norm.*",)),
        Weight("predictions.decoder.weight", ("head.words.weight",)),
        Weight(bias, ("head.words.bias",)),
        Weight("sop_classifier.classifier.*", ("pair.relation.*",)),
        Weight("classifier.*", ("head.labels.*",)),
    )


def _layer(number: int) -> Table:
    """One layer of each group."""
    theirs = f"albert.encoder.albert_layer_groups.{{layer}}.albert_layers.{number}"
    attention, mlp = f"{LAYER}.{2 * number}", f"{LAYER}.{2 * number + 1}"
    return (
        Weight(f"{theirs}.attention.query.*", (f"{attention}.op.query.*",)),
        Weight(f"{theirs}.attention.key.*", (f"{attention}.op.key.*",)),
        Weight(f"{theirs}.attention.value.*", (f"{attention}.op.value.*",)),
        Weight(f"{theirs}.attention.dense.*", (f"{attention}.op.output.*",)),
        Weight(f"{theirs}.attention.LayerNorm.*", (f"{attention}.norm.*",)),
        Weight(f"{theirs}.ffn.*", (f"{mlp}.op.up.*",)),
        Weight(f"{theirs}.ffn_output.*", (f"{mlp}.op.output.*",)),
        Weight(f"{theirs}.full_layer_layer_norm.*", (f"{mlp}.norm.*",)),
    )


FAMILY = Family(
    "albert",
    "AlbertModel",
    read,
    write,
    weights,
    shape=Encoder,
    prefix="albert.",
    bare=("AlbertModel",),
    ignored=r"(albert\.)?(embeddings\.position_ids|pooler\.(weight|bias))",
    copies={
        "predictions.decoder.weight": "albert.embeddings.word_embeddings.weight",
        "predictions.decoder.bias": "predictions.bias",
    },
    quirks=Quirks(
        renamed=bert.OLD,
        unsaid=partial(encoder_heads.unsaid, "Albert", "predictions.", "sop_classifier."),
        twins={"predictions.bias": "predictions.decoder.bias"},
    ),
)
