"""BERT and its heads beside transformers, and files of old."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from hornbook.core.errors import UserError
from hornbook.exchange import families, folder
from hornbook.model.classifier import SequenceClassifier
from tests.exchange.encoders import ENCODER, ENCODER_CHECKS, Check, Encoding, reference, rows

hf = pytest.importorskip("transformers")

NAMES = {"id2label": {0: "bad", 1: "so-so", 2: "good"}, "label2id": {"bad": 0, "so-so": 1, "good": 2}}
CASES = {
    "body": Encoding("Bert", ENCODER, "Model", segments=2),
    "words": Encoding("Bert", ENCODER | {"hidden_act": "gelu_new", "layer_norm_eps": 1e-5}, "ForMaskedLM", segments=2),
    "words-untied": Encoding("Bert", ENCODER | {"tie_word_embeddings": False}, "ForMaskedLM", segments=2),
    "pretraining": Encoding("Bert", ENCODER | {"hidden_act": "relu"}, "ForPreTraining", segments=2),
    "pretraining-untied": Encoding("Bert", ENCODER | {"tie_word_embeddings": False}, "ForPreTraining", segments=2),
    "pairs": Encoding("Bert", ENCODER, "ForNextSentencePrediction", segments=2),
    "one-label": Encoding("Bert", ENCODER | NAMES, "ForSequenceClassification", segments=2),
    "several-labels": Encoding(
        "Bert",
        ENCODER | NAMES | {"problem_type": "multi_label_classification"},
        "ForSequenceClassification",
        segments=2,
    ),
    "a-number": Encoding("Bert", ENCODER | {"num_labels": 1}, "ForSequenceClassification", segments=2),
    "numbers": Encoding(
        "Bert", ENCODER | {"num_labels": 4, "problem_type": "regression"}, "ForSequenceClassification", segments=2
    ),
    "tokens": Encoding("Bert", ENCODER | NAMES | {"type_vocab_size": 3}, "ForTokenClassification", segments=3),
}


@pytest.mark.parametrize("check", ENCODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_bert_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_labels_are_read_with_their_names(tmp_path: Path) -> None:
    reference(CASES["several-labels"]).save_pretrained(tmp_path)
    head: Any = folder.load(tmp_path).config.head
    assert isinstance(head, SequenceClassifier)
    assert (head.labels, head.names, head.several) == (3, ("bad", "so-so", "good"), True)


def test_a_number_of_labels_without_names_wins() -> None:
    """rxnfp's config.json says num_labels 50 and names two; transformers takes 50."""
    fields = ENCODER | {"model_type": "bert", "architectures": ["BertForSequenceClassification"], "num_labels": 50}
    head: Any = families.config_of(fields | {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}).head
    assert (head.labels, head.names) == (50, ())


@torch.no_grad()
def test_a_body_without_a_pooler(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = hf.BertModel(hf.BertConfig(**ENCODER), add_pooling_layer=False).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    ours = folder.load(tmp_path / "theirs").eval()
    batch = rows(CASES["body"])
    assert ours(**batch).pooled is None
    torch.testing.assert_close(ours(**batch).hidden, theirs(**batch).last_hidden_state)
    folder.save(ours, tmp_path / "ours")
    assert folder.load(tmp_path / "ours").config == ours.config
    again = hf.BertModel.from_pretrained(tmp_path / "ours", add_pooling_layer=False).eval()
    torch.testing.assert_close(again(**batch).last_hidden_state, theirs(**batch).last_hidden_state)


@torch.no_grad()
def test_files_of_old_are_read(tmp_path: Path) -> None:
    """bert-base-uncased calls itself a BertForMaskedLM, has gamma and beta, both heads, and the tied table twice."""
    theirs = reference(CASES["pretraining"])
    theirs.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in tensors.items()
    }
    old["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"].clone()
    old["bert.embeddings.position_ids"] = torch.arange(64)[None]
    save_file(old, tmp_path / "model.safetensors")
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace("BertForPreTraining", "BertForMaskedLM"))
    ours, batch = folder.load(tmp_path).eval(), rows(CASES["pretraining"])
    torch.testing.assert_close(ours(**batch).logits, theirs(**batch).prediction_logits)
    torch.testing.assert_close(ours(**batch).seq_relationship_logits, theirs(**batch).seq_relationship_logits)


def test_a_tied_table_that_differs_is_refused(tmp_path: Path) -> None:
    reference(CASES["words"]).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"] + 1
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"decoder\.weight has no place"):
        folder.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"is_decoder": True}, "is_decoder is True"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"hidden_act": "mish"}, "hidden_act is 'mish'; known are"),
        ({"architectures": ["BertForMultipleChoice"]}, "architecture BertForMultipleChoice is not supported"),
    ],
)
def test_what_is_not_built_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        families.config_of(ENCODER | {"model_type": "bert"} | change)
