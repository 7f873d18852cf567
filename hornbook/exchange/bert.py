"""BERT (Devlin et al. 2019), and what is built like it: MiniLM and many encoders of sentences.

Learned positions, two segments, post-norm, biases everywhere. RoBERTa's and ALBERT's files build on this one. Left out:
BERT as a decoder; heads for multiple choice and for answers in a text.
"""

from functools import partial
from typing import Any

from hornbook.exchange import encoder_heads
from hornbook.exchange.encoder_heads import Parts
from hornbook.exchange.family import Family, Fields, choose, expect, need
from hornbook.exchange.quirks import Quirks
from hornbook.exchange.weights import Table, Weight
from hornbook.model.attention import Attention
from hornbook.model.embed import Tokens
from hornbook.model.encoder import Encoder
from hornbook.model.init import Normal
from hornbook.model.mlp import MLP
from hornbook.model.norm import LayerNorm
from hornbook.model.position import Learned

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
LAYER = "stack.layers.{layer}"
OLD = {r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"}  # as TensorFlow wrote them


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    return {**read_body(fields), "head": encoder_heads.read(fields, parts(fields, "Bert"))}


def parts(fields: Fields, name: str) -> Parts:
    """How the heads of BERT are made."""
    transform = {"norm": norm(fields), "activation": choose(fields, "hidden_act", ACTIVATIONS, "gelu")}
    dropout = fields.get("classifier_dropout")
    return Parts(
        name,
        masked={"tied": fields.get("tie_word_embeddings", True), **transform},
        dropout=fields.get("hidden_dropout_prob", 0.1) if dropout is None else dropout,
    )


def read_body(fields: Fields) -> dict[str, Any]:
    """All but the head."""
    expect(fields, is_decoder=False, add_cross_attention=False, position_embedding_type="absolute")
    dropout = fields.get("hidden_dropout_prob", 0.1)
    return {
        "type": "encoder",
        "dim": need(fields, "hidden_size"),
        "length": fields.get("max_position_embeddings", 512),
        "init": {"type": "normal", "std": fields.get("initializer_range", 0.02)},
        "embed": {
            "type": "tokens",
            "vocab": need(fields, "vocab_size"),
            "segments": fields.get("type_vocab_size", 2),
            "norm": norm(fields),
            "dropout": dropout,
        },
        "stack": {
            "layers": need(fields, "num_hidden_layers"),
            "norm": norm(fields),
            "placement": "post",
            "position": {"type": "learned"},
            "dropout": dropout,
            "layer": layer(fields),
        },
    }


def layer(fields: Fields) -> list[dict[str, Any]]:
    """The two sublayers of every layer."""
    return [
        {
            "type": "attention",
            "heads": need(fields, "num_attention_heads"),
            "causal": False,
            "bias": True,
            "output_bias": True,
            "dropout": fields.get("attention_probs_dropout_prob", 0.1),
        },
        {
            "type": "mlp",
            "hidden": need(fields, "intermediate_size"),
            "activation": choose(fields, "hidden_act", ACTIVATIONS, "gelu"),
            "bias": True,
        },
    ]


def norm(fields: Fields) -> dict[str, Any]:
    """The one norm of the family."""
    return {"type": "layer_norm", "eps": fields.get("layer_norm_eps", 1e-12)}


def write(config: Encoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    body, head = write_body(config), encoder_heads.write(config.head, "Bert")
    return {**body, **head} if body and head and body["type_vocab_size"] else None


def write_body(config: Encoder) -> dict[str, Any] | None:
    """All but the head."""
    stack = config.stack
    match stack.layer, stack.norm, stack.position, config.embed:
        case (Attention() as attention, MLP() as mlp, *_), LayerNorm() as norm, Learned(), Tokens() as embed:
            pass
        case _:
            return None
    names = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}
    if mlp.activation not in names:
        return None
    return {
        "vocab_size": embed.vocab,
        "hidden_size": config.dim,
        "num_hidden_layers": stack.layers,
        "num_attention_heads": attention.heads,
        "intermediate_size": mlp.hidden,
        "hidden_act": names[mlp.activation],
        "max_position_embeddings": config.length,
        "type_vocab_size": embed.segments,
        "layer_norm_eps": norm.eps,
        "hidden_dropout_prob": stack.dropout,
        "attention_probs_dropout_prob": attention.dropout,
        "classifier_dropout": encoder_heads.dropout(config.head),
        "initializer_range": config.init.std if isinstance(config.init, Normal) else 0.02,
        "tie_word_embeddings": encoder_heads.tied(config.head),
    }


def body(prefix: str) -> Table:
    """The tensors of the model without its heads."""
    theirs = f"{prefix}.encoder.layer.{{layer}}"
    return (
        Weight(f"{prefix}.embeddings.word_embeddings.weight", ("embed.table.weight",)),
        Weight(f"{prefix}.embeddings.position_embeddings.weight", ("stack.position.table.weight",)),
        Weight(f"{prefix}.embeddings.token_type_embeddings.weight", ("embed.segments.weight",)),
        Weight(f"{prefix}.embeddings.LayerNorm.*", ("embed.norm.*",)),
        Weight(f"{theirs}.attention.self.query.*", (f"{LAYER}.0.op.query.*",)),
        Weight(f"{theirs}.attention.self.key.*", (f"{LAYER}.0.op.key.*",)),
        Weight(f"{theirs}.attention.self.value.*", (f"{LAYER}.0.op.value.*",)),
        Weight(f"{theirs}.attention.output.dense.*", (f"{LAYER}.0.op.output.*",)),
        Weight(f"{theirs}.attention.output.LayerNorm.*", (f"{LAYER}.0.norm.*",)),
        Weight(f"{theirs}.intermediate.dense.*", (f"{LAYER}.1.op.up.*",)),
        Weight(f"{theirs}.output.dense.*", (f"{LAYER}.1.op.output.*",)),
        Weight(f"{theirs}.output.LayerNorm.*", (f"{LAYER}.1.norm.*",)),
    )


def weights(config: Encoder) -> Table:
    """All tensors; an untied table of words has its bias beside it."""
    bias = "cls.predictions.bias" if encoder_heads.tied(config.head) else "cls.predictions.decoder.bias"
    return (
        *body("bert"),
        Weight("bert.pooler.dense.*", ("head.pooler.dense.*",)),
        Weight("bert.pooler.dense.*", ("pair.pooler.dense.*",)),
        Weight("cls.predictions.transform.dense.*", ("head.dense.*",)),
        Weight("cls.predictions.transform.LayerNorm.*", ("head.norm.*",)),
        Weight("cls.predictions.decoder.weight", ("head.words.weight",)),
        Weight(bias, ("head.words.bias",)),
        Weight("cls.seq_relationship.*", ("head.relation.*",)),
        Weight("cls.seq_relationship.*", ("pair.relation.*",)),
        Weight("classifier.*", ("head.labels.*",)),
    )


FAMILY = Family(
    "bert",
    "BertModel",
    read,
    write,
    weights,
    shape=Encoder,
    prefix="bert.",
    bare=("BertModel",),
    ignored=r"(bert\.)?embeddings\.position_ids",
    copies={
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    },
    quirks=Quirks(
        renamed=OLD,
        unsaid=partial(encoder_heads.unsaid, "Bert", "cls.predictions.", "cls.seq_relationship."),
        twins={"cls.predictions.bias": "cls.predictions.decoder.bias"},
    ),
)
