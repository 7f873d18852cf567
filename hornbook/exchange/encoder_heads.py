"""How config.json speaks of an encoder's head: by the class in `architectures`, and of labels by `id2label`.

`BertForTokenClassification` is the same head on BERT as `EsmForTokenClassification` on ESM, so what follows the name of
the family decides, and a family says in `Parts` how its heads are made. The bare class has a pooler or not, which only
the tensors tell; we write it down as `add_pooling_layer`, the argument of the class.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from hornbook.core.errors import UserError
from hornbook.exchange.family import Fields
from hornbook.model.classifier import Regression, SequenceClassifier, TokenClassifier
from hornbook.model.heads import Heads
from hornbook.model.masked_head import Masked, Pretraining
from hornbook.model.pool import NextSentence, Pooled

TANH = {"take": "first", "activation": "tanh"}
PROBLEMS = {False: "single_label_classification", True: "multi_label_classification"}
KINDS: dict[type, str] = {
    Pooled: "Model",
    Masked: "ForMaskedLM",
    Pretraining: "ForPreTraining",
    NextSentence: "ForNextSentencePrediction",
    SequenceClassifier: "ForSequenceClassification",
    Regression: "ForSequenceClassification",
    TokenClassifier: "ForTokenClassification",
}


@dataclass(frozen=True)
class Parts:
    """How a family makes its heads."""

    name: str  # which its classes begin with
    masked: Mapping[str, Any] = field(default_factory=dict)
    pooling: Mapping[str, Any] = field(default_factory=lambda: TANH)  # of the classifier
    pooler: Mapping[str, Any] | None = field(default_factory=lambda: TANH)  # of the bare model; None: it has none
    dropout: float = 0.0  # of the classifiers
    token_dropout: float | None = None  # of the tokens' classifier, where another
    pair_dropout: float = 0.0


def kind(fields: Fields, name: str) -> str:
    """What follows the family's name in `architectures`: Model, ForMaskedLM, ..."""
    return str((fields.get("architectures") or [f"{name}Model"])[0]).removeprefix(name)


def read(fields: Fields, parts: Parts) -> dict[str, Any] | None:
    """config.json -> the head of a recipe"""
    pooling = {"type": "pooling", **parts.pooling}
    classifier = {"pooling": pooling, "dropout": parts.dropout}
    match kind(fields, parts.name):
        case "Model":
            pooled = parts.pooler is not None and fields.get("add_pooling_layer", True)
            return {"type": "pooled", "pooling": dict(parts.pooler or {})} if pooled else None
        case "ForMaskedLM":
            return {"type": "masked", **parts.masked}
        case "ForPreTraining":
            pair = {"pooling": TANH, "dropout": parts.pair_dropout}
            return {"type": "pretraining", "masked": dict(parts.masked), "pair": pair}
        case "ForNextSentencePrediction":
            return {"type": "next_sentence", "pooling": TANH}
        case "ForSequenceClassification" | "ForImageClassification":
            return {**rows(fields), **classifier}
        case "ForTokenClassification":
            dropout = parts.dropout if parts.token_dropout is None else parts.token_dropout
            return {"type": "token_classifier", **labels(fields), "dropout": dropout}
        case other:
            raise UserError(f"config.json: architecture {parts.name}{other} is not supported; take another head")


def rows(fields: Fields) -> dict[str, Any]:
    """A classifier of rows, or a regression."""
    found, problem = labels(fields), fields.get("problem_type")
    if problem == "regression" or (problem is None and found["labels"] == 1):
        return {"type": "regression", "values": found["labels"]}
    return {"type": "sequence_classifier", **found, "several": problem == PROBLEMS[True]}


def labels(fields: Fields) -> dict[str, Any]:
    """The number of labels and, unless they are LABEL_0, LABEL_1, ..., their names; 2 where nothing is said."""
    names = {int(i): str(name) for i, name in (fields.get("id2label") or {0: "LABEL_0", 1: "LABEL_1"}).items()}
    count = int(fields.get("num_labels") or len(names))
    plain = count != len(names) or names == {i: f"LABEL_{i}" for i in range(count)}
    return {"labels": count, "names": [] if plain else [names.get(i, f"LABEL_{i}") for i in range(count)]}


def write(head: Heads | None, name: str, kinds: Mapping[type, str] = KINDS) -> dict[str, Any] | None:
    """The head of a recipe -> config.json; None: not one of these."""
    if head is None:
        return {"architectures": [f"{name}Model"], "add_pooling_layer": False}
    if type(head) not in kinds:
        return None
    return {"architectures": [f"{name}{kinds[type(head)]}"], **named(head)}


def named(head: Any) -> dict[str, Any]:
    """What config.json says of labels; nothing for a head without."""
    match head:
        case SequenceClassifier():
            return {**_names(head.labels, head.names), "problem_type": PROBLEMS[head.several]}
        case TokenClassifier():
            return _names(head.labels, head.names)
        case Regression():
            return {**_names(head.values, ()), "problem_type": "regression"}
        case _:
            return {}


def _names(count: int, names: tuple[str, ...]) -> dict[str, Any]:
    names = names or tuple(f"LABEL_{i}" for i in range(count))
    return {"id2label": {str(i): n for i, n in enumerate(names)}, "label2id": {n: i for i, n in enumerate(names)}}


def tied(head: Heads | None) -> bool:
    """Whether the head for words is the embedding; heads without words say yes, as config.json does."""
    words = head.masked if isinstance(head, Pretraining) else head
    return words.tied if isinstance(words, Masked) else True


def dropout(head: Heads | None) -> float | None:
    """What is dropped before the labels."""
    return head.dropout if isinstance(head, SequenceClassifier | Regression | TokenClassifier) else None


def unsaid(name: str, words: str, pair: str, fields: Fields, names: Collection[str]) -> dict[str, Any]:
    """The head that a file has, where config.json names none or less: pretraining weights are often called a MaskedLM.

    words, pair: how the tensors of the head for hidden words, and of the head for pairs, begin.
    """
    has_words, has_pair = (any(each.startswith(start) for each in names) for start in (words, pair))
    found = kind(fields, name)
    if has_words and has_pair and found in ("Model", "ForMaskedLM", "ForNextSentencePrediction"):
        return {"architectures": [f"{name}ForPreTraining"]}
    if has_words and not fields.get("architectures"):
        return {"architectures": [f"{name}ForMaskedLM"]}
    if found == "Model" and not any("pooler." in each for each in names):
        return {"add_pooling_layer": False}
    return {}
