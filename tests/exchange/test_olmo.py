"""OLMo and OLMo 2 beside transformers: norms without gains, norms after, clipped queries."""

from pathlib import Path

import pytest

from tests.exchange.parity import DECODER_CHECKS, SMALL, Case, Check

CASES = {
    "olmo": Case("Olmo", SMALL),
    "olmo-clipped-biased": Case(
        "Olmo",
        SMALL | {"clip_qkv": 0.15, "attention_bias": True, "num_key_value_heads": 2, "tie_word_embeddings": True},
    ),
    "olmo2": Case("Olmo2", SMALL),
    "olmo2-grouped-tied": Case(
        "Olmo2", SMALL | {"num_key_value_heads": 2, "attention_bias": True, "tie_word_embeddings": True}
    ),
    "olmo2-single-eps": Case("Olmo2", SMALL | {"num_key_value_heads": 1, "rms_norm_eps": 1e-2, "hidden_act": "gelu"}),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_an_olmo_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)
