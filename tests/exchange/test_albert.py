"""ALBERT beside transformers: narrow tables, layers applied again, groups of them."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.exchange import families
from tests.exchange.encoders import ENCODER, ENCODER_CHECKS, Check, Encoding

ALBERT = ENCODER | {"embedding_size": 12, "num_hidden_layers": 6}
GROUPS = ALBERT | {"num_hidden_groups": 3, "inner_group_num": 2, "hidden_act": "gelu"}
CASES = {
    "body": Encoding("Albert", ALBERT, "Model", segments=2),
    "body-of-groups": Encoding("Albert", GROUPS, "Model", segments=2),
    "words": Encoding("Albert", ALBERT, "ForMaskedLM", segments=2),
    "words-untied": Encoding("Albert", GROUPS | {"tie_word_embeddings": False}, "ForMaskedLM", segments=2),
    "words-as-wide": Encoding("Albert", ALBERT | {"embedding_size": 32}, "ForMaskedLM", segments=2),
    "pretraining": Encoding("Albert", ALBERT, "ForPreTraining", segments=2),
    "labels": Encoding("Albert", ALBERT | {"num_labels": 3}, "ForSequenceClassification", segments=2),
    "tokens": Encoding("Albert", ALBERT | {"num_labels": 3}, "ForTokenClassification", segments=2),
}


@pytest.mark.parametrize("check", ENCODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_an_albert_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_groups_of_several_sizes_are_refused() -> None:
    with pytest.raises(UserError, match="4 num_hidden_groups do not divide 6 num_hidden_layers"):
        families.config_of(ALBERT | {"model_type": "albert", "num_hidden_groups": 4})
