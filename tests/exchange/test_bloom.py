"""BLOOM beside transformers; with five heads the slopes are those between powers of two."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.exchange import families
from tests.exchange.parity import DECODER_CHECKS, VOCAB, Case, Check

FIELDS = {"vocab_size": VOCAB, "hidden_size": 32, "n_layer": 2, "n_head": 4}
CASES = {
    "plain": Case("Bloom", FIELDS),
    "five-heads-untied": Case("Bloom", FIELDS | {"hidden_size": 30, "n_head": 5, "tie_word_embeddings": False}),
    "eps": Case("Bloom", FIELDS | {"layer_norm_epsilon": 1e-2}),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_bloom_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_what_is_not_built_is_refused() -> None:
    with pytest.raises(UserError, match="apply_residual_connection_post_layernorm is True"):
        families.config_of(FIELDS | {"model_type": "bloom", "apply_residual_connection_post_layernorm": True})
