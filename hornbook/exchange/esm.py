"""ESM-1b and ESM-2 (Rives et al. 2021; Lin et al. 2023): BERT for proteins, a token a residue.

Pre-norm; ESM-2 turns queries and keys (rotary), ESM-1b learns positions and norms what it embeds. `token_dropout`
blanks the mask (model/blanked.py). Every file has a regression on attention maps for contacts (model/contacts.py), and
keeps the rates of the rotation, which a training in half precision has rounded: they are taken as they are. Left out:
ESMFold.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from hornbook.exchange import bert, encoder_heads
from hornbook.exchange.encoder_heads import TANH
from hornbook.exchange.family import Family, Fields, choose, expect, need
from hornbook.exchange.quirks import Quirks
from hornbook.exchange.weights import Table, Weight
from hornbook.model.attention import Attention
from hornbook.model.blanked import BlankedTokens
from hornbook.model.classifier import Regression, SequenceClassifier
from hornbook.model.embed import Tokens
from hornbook.model.encoder import Encoder
from hornbook.model.init import Normal
from hornbook.model.masked_head import Pretraining
from hornbook.model.mlp import MLP
from hornbook.model.norm import LayerNorm
from hornbook.model.pool import NextSentence
from hornbook.model.position import Learned
from hornbook.model.rope import Rope

LAYER = bert.LAYER
KINDS = {head: kind for head, kind in encoder_heads.KINDS.items() if head not in (NextSentence, Pretraining)}
POSITIONS = {"rotary": "rotary", "absolute": "absolute"}


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    expect(fields, is_folding_model=False)
    kind = choose(fields, "position_embedding_type", POSITIONS, "absolute")
    fields = {"max_position_embeddings": 1026, **fields, "position_embedding_type": "absolute", "hidden_act": "gelu"}
    data, norm = bert.read_body(fields), bert.norm(fields)
    embed = {"vocab": need(fields, "vocab_size"), "norm": norm if fields.get("emb_layer_norm_before") else None}
    blanked = {"type": "blanked_tokens", "mask": fields.get("mask_token_id"), **embed}
    data["embed"] = blanked if fields.get("token_dropout") else {"type": "tokens", **embed}
    data["stack"]["placement"] = "pre"
    if kind == "rotary":
        data["stack"]["position"] = {"type": "rope", "base": fields.get("rope_theta", 10_000.0)}
    else:
        offset = need(fields, "pad_token_id") + 1
        data["stack"]["position"], data["length"] = {"type": "learned", "offset": offset}, data["length"] - offset
    parts = bert.parts({**fields, "classifier_dropout": None}, "Esm")
    parts = replace(parts, pooling={**TANH, "dropout": parts.dropout})
    contacts = {"end": fields.get("eos_token_id", 2)}
    return {**data, "head": encoder_heads.read(fields, parts), "contacts": contacts}


def write(config: Encoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    stack, embed, head = config.stack, config.embed, encoder_heads.write(config.head, "Esm", KINDS)
    match stack.layer, stack.norm:
        case (Attention() as attention, MLP() as mlp), LayerNorm() as norm:
            pass
        case _:
            return None
    if head is None or config.contacts is None or not isinstance(embed, Tokens | BlankedTokens):
        return None
    return {
        "vocab_size": embed.vocab,
        "hidden_size": config.dim,
        "num_hidden_layers": stack.layers,
        "num_attention_heads": attention.heads,
        "intermediate_size": mlp.hidden,
        "layer_norm_eps": norm.eps,
        "hidden_dropout_prob": stack.dropout,
        "attention_probs_dropout_prob": attention.dropout,
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "emb_layer_norm_before": embed.norm is not None,
        "token_dropout": isinstance(embed, BlankedTokens),
        **({"mask_token_id": embed.mask} if isinstance(embed, BlankedTokens) else {}),
        "eos_token_id": config.contacts.end,
        "tie_word_embeddings": encoder_heads.tied(config.head),
        **_position(config),
        **head,
    }


def _position(config: Encoder) -> dict[str, Any]:
    match config.stack.position:
        case Rope() as rope:
            return {
                "position_embedding_type": "rotary",
                "rope_theta": rope.base,
                "max_position_embeddings": config.length,
            }
        case Learned() as learned:
            return {
                "position_embedding_type": "absolute",
                "max_position_embeddings": config.length + learned.offset,
                "pad_token_id": learned.offset - 1,
            }
    return {}


def weights(config: Encoder) -> Table:
    """All tensors; a classifier of rows has two matrices of its own."""
    rows = isinstance(config.head, SequenceClassifier | Regression)
    theirs = "esm.encoder.layer.{layer}"
    return (
        Weight("esm.embeddings.word_embeddings.weight", ("embed.table.weight",)),
        Weight("esm.embeddings.position_embeddings.weight", ("stack.position.table.weight",)),
        Weight("esm.embeddings.layer_norm.*", ("embed.norm.*",)),
        Weight(f"{theirs}.attention.LayerNorm.*", (f"{LAYER}.0.norm.*",)),
        Weight(f"{theirs}.attention.self.query.*", (f"{LAYER}.0.op.query.*",)),
        Weight(f"{theirs}.attention.self.key.*", (f"{LAYER}.0.op.key.*",)),
        Weight(f"{theirs}.attention.self.value.*", (f"{LAYER}.0.op.value.*",)),
        Weight(f"{theirs}.attention.output.dense.*", (f"{LAYER}.0.op.output.*",)),
        Weight(f"{theirs}.LayerNorm.*", (f"{LAYER}.1.norm.*",)),
        Weight(f"{theirs}.intermediate.dense.*", (f"{LAYER}.1.op.up.*",)),
        Weight(f"{theirs}.output.dense.*", (f"{LAYER}.1.op.output.*",)),
        Weight("esm.encoder.emb_layer_norm_after.*", ("stack.final_norm.*",)),
        Weight("esm.contact_head.regression.*", ("contacts.regression.*",)),
        Weight("classifier.dense.*" if rows else "esm.pooler.dense.*", ("head.pooler.dense.*",)),
        Weight("classifier.out_proj.*" if rows else "classifier.*", ("head.labels.*",)),
        Weight("lm_head.dense.*", ("head.dense.*",)),
        Weight("lm_head.layer_norm.*", ("head.norm.*",)),
        Weight("lm_head.decoder.weight", ("head.words.weight",)),
        Weight("lm_head.bias", ("head.words.bias",)),
    )


FAMILY = Family(
    "esm",
    "EsmModel",
    read,
    write,
    weights,
    shape=Encoder,
    prefix="esm.",
    bare=("EsmModel",),
    ignored=r"(esm\.)?(embeddings\.(position_ids|position_embeddings\.weight)|pooler\.dense\.(weight|bias))",
    copies={"lm_head.decoder.weight": "esm.embeddings.word_embeddings.weight"},
    quirks=Quirks(
        renamed={**bert.OLD, r"encoder\.layer\.(\*|\d+)\.attention\.self\.(rotary_embeddings\.inv_freq)": r"\2"},
        unsaid=partial(encoder_heads.unsaid, "Esm", "lm_head.", "no pairs"),
        constants={"esm.rotary_embeddings.inv_freq": "stack.position.rates"},
    ),
)
