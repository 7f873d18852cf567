"""Heads in config.json: what the names of tensors tell, labels with and without names."""

from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.exchange import encoder_heads
from hornbook.exchange.encoder_heads import Parts
from hornbook.model.classifier import SequenceClassifier, TokenClassifier

BERT = Parts("Bert")
WORDS, PAIRS = "cls.predictions.bias", "cls.seq_relationship.bias"


@pytest.mark.parametrize(
    ("architecture", "names", "found"),
    [
        ("BertForMaskedLM", [WORDS, PAIRS, "bert.pooler.dense.bias"], {"architectures": ["BertForPreTraining"]}),
        ("BertForMaskedLM", [WORDS, "bert.pooler.dense.bias"], {}),
        (None, [WORDS], {"architectures": ["BertForMaskedLM"]}),
        (None, [WORDS, PAIRS], {"architectures": ["BertForPreTraining"]}),
        (None, ["pooler.dense.bias"], {}),
        ("BertModel", ["embeddings.LayerNorm.bias"], {"add_pooling_layer": False}),
        ("BertForSequenceClassification", [PAIRS], {}),
    ],
)
def test_tensors_tell_what_the_config_leaves_out(
    architecture: str | None, names: list[str], found: dict[str, Any]
) -> None:
    fields = {"architectures": [architecture]} if architecture else {}
    assert encoder_heads.unsaid("Bert", "cls.predictions.", "cls.seq_relationship.", fields, names) == found


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ({}, {"labels": 2, "names": []}),
        ({"num_labels": 5}, {"labels": 5, "names": []}),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "num_labels": 50}, {"labels": 50, "names": []}),
        ({"id2label": {"1": "no", "0": "yes"}}, {"labels": 2, "names": ["yes", "no"]}),
        ({"id2label": {0: "yes", 1: "LABEL_1"}}, {"labels": 2, "names": ["yes", "LABEL_1"]}),
    ],
)
def test_labels_and_their_names(fields: dict[str, Any], labels: dict[str, Any]) -> None:
    assert encoder_heads.labels(fields) == labels


@pytest.mark.parametrize(
    "head",
    [
        SequenceClassifier(labels=2, names=("yes", "no")),
        SequenceClassifier(labels=3, several=True),
        TokenClassifier(labels=3, names=("a", "b", "c")),
    ],
)
def test_what_is_written_reads_back(head: Any) -> None:
    fields = encoder_heads.write(head, "Bert")
    assert fields is not None
    read = encoder_heads.read(fields, BERT)
    assert read is not None
    assert (read["labels"], tuple(read["names"])) == (head.labels, head.names)
    assert read.get("several", False) == getattr(head, "several", False)


def test_one_label_is_a_number() -> None:
    fields = {"architectures": ["BertForSequenceClassification"], "num_labels": 1}
    assert encoder_heads.read(fields, BERT)["type"] == "regression"  # type: ignore[index]


def test_other_heads_are_refused() -> None:
    with pytest.raises(UserError, match="BertForQuestionAnswering is not supported"):
        encoder_heads.read({"architectures": ["BertForQuestionAnswering"]}, BERT)
