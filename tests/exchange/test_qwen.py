"""Qwen2 and Qwen3 beside transformers."""

from pathlib import Path

import pytest

from tests.exchange.parity import DECODER_CHECKS, SMALL, Case, Check

CASES = {
    "qwen2": Case("Qwen2", SMALL | {"num_key_value_heads": 2, "tie_word_embeddings": True}),
    "qwen3": Case("Qwen3", SMALL | {"num_key_value_heads": 2, "head_dim": 20}),
    "qwen3-bias": Case("Qwen3", SMALL | {"num_key_value_heads": 4, "head_dim": 8, "attention_bias": True}),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_qwen_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)
