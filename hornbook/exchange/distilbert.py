"""DistilBERT (Sanh et al. 2019): half of BERT's layers, learned from BERT's own answers; no segments, no pooler.

Its classifier has a pooler all the same, with ReLU in place of tanh.
"""

from functools import partial
from typing import Any

from hornbook.exchange import bert, encoder_heads
from hornbook.exchange.encoder_heads import Parts
from hornbook.exchange.family import Family, Fields, choose, need
from hornbook.exchange.quirks import Quirks
from hornbook.exchange.weights import Weight
from hornbook.model.encoder import Encoder
from hornbook.model.masked_head import Pretraining
from hornbook.model.pool import NextSentence, Pooled

LAYER = bert.LAYER
LACKS = (NextSentence, Pretraining, Pooled)
KINDS = {head: kind for head, kind in encoder_heads.KINDS.items() if head not in LACKS}
NAMES = {  # theirs -> BERT's
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "hidden_dim": "intermediate_size",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
}
NORM = {"type": "layer_norm", "eps": 1e-12}  # not to be chosen in this family


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    for name in ("dim", "n_layers", "n_heads", "hidden_dim"):
        need(fields, name)
    as_bert = {**fields, **{theirs: fields[ours] for ours, theirs in NAMES.items() if ours in fields}}
    data = bert.read_body({**as_bert, "type_vocab_size": 0, "layer_norm_eps": NORM["eps"]})
    activation = choose(fields, "activation", bert.ACTIVATIONS, "gelu")
    parts = Parts(
        "DistilBert",
        masked={"tied": fields.get("tie_word_embeddings", True), "activation": activation, "norm": NORM},
        pooling={"take": "first", "activation": "relu"},
        pooler=None,
        dropout=fields.get("seq_classif_dropout", 0.2),
        token_dropout=fields.get("dropout", 0.1),
    )
    return {**data, "head": encoder_heads.read(fields, parts)}


def write(config: Encoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    body, head = bert.write_body(config), encoder_heads.write(config.head, "DistilBert", KINDS)
    if body is None or head is None:
        return None
    shared = ("vocab_size", "max_position_embeddings", "initializer_range", "tie_word_embeddings")
    fields = {ours: body[theirs] for ours, theirs in NAMES.items()} | {name: body[name] for name in shared}
    dropout = encoder_heads.dropout(config.head)
    head.pop("add_pooling_layer", None)
    return {**fields, **head, "seq_classif_dropout": 0.2 if dropout is None else dropout}


THEIRS = "distilbert.transformer.layer.{layer}"

FAMILY = Family(
    "distilbert",
    "DistilBertModel",
    read,
    write,
    shape=Encoder,
    prefix="distilbert.",
    bare=("DistilBertModel",),
    ignored=r"(distilbert\.)?embeddings\.position_ids",
    copies={"vocab_projector.weight": "distilbert.embeddings.word_embeddings.weight"},
    quirks=Quirks(renamed=bert.OLD, unsaid=partial(encoder_heads.unsaid, "DistilBert", "vocab_projector.", "no pairs")),
    weights=(
        Weight("distilbert.embeddings.word_embeddings.weight", ("embed.table.weight",)),
        Weight("distilbert.embeddings.position_embeddings.weight", ("stack.position.table.weight",)),
        Weight("distilbert.embeddings.LayerNorm.*", ("embed.norm.*",)),
        Weight(f"{THEIRS}.attention.q_lin.*", (f"{LAYER}.0.op.query.*",)),
        Weight(f"{THEIRS}.attention.k_lin.*", (f"{LAYER}.0.op.key.*",)),
        Weight(f"{THEIRS}.attention.v_lin.*", (f"{LAYER}.0.op.value.*",)),
        Weight(f"{THEIRS}.attention.out_lin.*", (f"{LAYER}.0.op.output.*",)),
        Weight(f"{THEIRS}.sa_layer_norm.*", (f"{LAYER}.0.norm.*",)),
        Weight(f"{THEIRS}.ffn.lin1.*", (f"{LAYER}.1.op.up.*",)),
        Weight(f"{THEIRS}.ffn.lin2.*", (f"{LAYER}.1.op.output.*",)),
        Weight(f"{THEIRS}.output_layer_norm.*", (f"{LAYER}.1.norm.*",)),
        Weight("vocab_transform.*", ("head.dense.*",)),
        Weight("vocab_layer_norm.*", ("head.norm.*",)),
        Weight("vocab_projector.*", ("head.words.*",)),
        Weight("pre_classifier.*", ("head.pooler.dense.*",)),
        Weight("classifier.*", ("head.labels.*",)),
    ),
)
