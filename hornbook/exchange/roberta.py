"""RoBERTa (Liu et al. 2019): BERT trained longer, without pairs, and with positions that begin behind the padding's id.

Position p is row p + pad_token_id + 1 of the table, so a `max_position_embeddings` of 514 reads 512 tokens. Theirs are
counted over the ids that are not padding, ours over what `attention_mask` calls real: the same, where it tells of it.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from hornbook.exchange import bert, encoder_heads
from hornbook.exchange.family import Family, Fields
from hornbook.exchange.quirks import Quirks
from hornbook.exchange.weights import Table, Weight
from hornbook.model.classifier import Regression, SequenceClassifier
from hornbook.model.encoder import Encoder
from hornbook.model.masked_head import Pretraining
from hornbook.model.pool import NextSentence
from hornbook.model.position import Learned

KINDS = {head: kind for head, kind in encoder_heads.KINDS.items() if head not in (NextSentence, Pretraining)}


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    padding = fields.get("pad_token_id")
    offset = 1 + (1 if padding is None else padding)
    data = bert.read_body({"max_position_embeddings": 514, "type_vocab_size": 1, **fields})
    data["length"] -= offset
    data["stack"]["position"] = {"type": "learned", "offset": offset}
    parts = bert.parts(fields, "Roberta")
    pooling = {**encoder_heads.TANH, "dropout": parts.dropout}
    masked = {**parts.masked, "activation": "gelu"}
    data["head"] = encoder_heads.read(fields, replace(parts, pooling=pooling, masked=masked))
    return data


def write(config: Encoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    body, head = bert.write_body(config), encoder_heads.write(config.head, "Roberta", KINDS)
    position = config.stack.position
    if not (body and head and body["type_vocab_size"] and isinstance(position, Learned) and position.offset):
        return None
    body["max_position_embeddings"] += position.offset
    return {**body, **head, "pad_token_id": position.offset - 1}


def weights(config: Encoder) -> Table:
    """All tensors; a classifier of rows has two matrices of its own."""
    rows = isinstance(config.head, SequenceClassifier | Regression)
    bias = "lm_head.bias" if encoder_heads.tied(config.head) else "lm_head.decoder.bias"
    return (
        *bert.body("roberta"),
        Weight("classifier.dense.*" if rows else "roberta.pooler.dense.*", ("head.pooler.dense.*",)),
        Weight("classifier.out_proj.*" if rows else "classifier.*", ("head.labels.*",)),
        Weight("lm_head.dense.*", ("head.dense.*",)),
        Weight("lm_head.layer_norm.*", ("head.norm.*",)),
        Weight("lm_head.decoder.weight", ("head.words.weight",)),
        Weight(bias, ("head.words.bias",)),
    )


FAMILY = Family(
    "roberta",
    "RobertaModel",
    read,
    write,
    weights,
    shape=Encoder,
    prefix="roberta.",
    bare=("RobertaModel",),
    ignored=r"roberta\.(pooler\.dense\.(weight|bias)|embeddings\.position_ids)|embeddings\.position_ids",
    copies={
        "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
        "lm_head.decoder.bias": "lm_head.bias",
    },
    quirks=Quirks(
        renamed=bert.OLD,
        unsaid=partial(encoder_heads.unsaid, "Roberta", "lm_head.", "no pairs"),
        twins={"lm_head.bias": "lm_head.decoder.bias"},
    ),
)
