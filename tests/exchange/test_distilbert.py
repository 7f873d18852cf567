"""DistilBERT and its heads beside transformers."""

from pathlib import Path

import pytest

from tests.exchange.encoders import ENCODER_CHECKS, Check, Encoding
from tests.exchange.parity import VOCAB

DISTILBERT = {
    "vocab_size": VOCAB,
    "dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 56,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
CASES = {
    "body": Encoding("DistilBert", DISTILBERT, "Model"),
    "words": Encoding("DistilBert", DISTILBERT | {"activation": "relu"}, "ForMaskedLM"),
    "words-untied": Encoding("DistilBert", DISTILBERT | {"tie_word_embeddings": False}, "ForMaskedLM"),
    "labels": Encoding("DistilBert", DISTILBERT | {"num_labels": 4}, "ForSequenceClassification"),
    "a-number": Encoding("DistilBert", DISTILBERT | {"num_labels": 1}, "ForSequenceClassification"),
    "tokens": Encoding("DistilBert", DISTILBERT | {"num_labels": 4}, "ForTokenClassification"),
}


@pytest.mark.parametrize("check", ENCODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_distilbert_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)
