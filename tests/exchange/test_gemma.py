"""Gemma 2 and 3 beside transformers: sandwiched norms, local and global layers, two ropes, soft caps."""

from pathlib import Path

import pytest

from hornbook.exchange import families
from tests.exchange.parity import DECODER_CHECKS, SMALL, Case, Check

FULL, LOCAL = "full_attention", "sliding_attention"
TEXT = SMALL | {"num_hidden_layers": 3, "num_key_value_heads": 2, "head_dim": 16, "query_pre_attn_scalar": 16}
ROPES = {
    FULL: {"rope_type": "linear", "factor": 8.0, "rope_theta": 2e5},
    LOCAL: {"rope_type": "default", "rope_theta": 1e3},
}
CASES = {
    "gemma2": Case("Gemma2", TEXT | {"sliding_window": 6, "query_pre_attn_scalar": 9}),
    "gemma2-uncapped": Case(
        "Gemma2", TEXT | {"sliding_window": 50, "attn_logit_softcapping": None, "final_logit_softcapping": None}
    ),
    "gemma3": Case("Gemma3Text", TEXT | {"sliding_window": 6}, named="Gemma3"),
    "gemma3-own-pattern-untied": Case(
        "Gemma3Text",
        TEXT | {"sliding_window": 6, "layer_types": [FULL, LOCAL, FULL], "tie_word_embeddings": False, "head_dim": 20},
        named="Gemma3",
    ),
    "gemma3-all-local": Case("Gemma3Text", TEXT | {"sliding_window": 6, "layer_types": [LOCAL] * 3}, named="Gemma3"),
    "gemma3-all-global-biased": Case(
        "Gemma3Text",
        TEXT | {"layer_types": [FULL] * 3, "attention_bias": True, "query_pre_attn_scalar": 7, "rms_norm_eps": 1e-4},
        named="Gemma3",
    ),
    "gemma3-scaled": Case("Gemma3Text", TEXT | {"sliding_window": 6, "rope_parameters": ROPES}, named="Gemma3"),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_gemma_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_configs_of_old_are_read() -> None:
    """As Gemma 3 4B has it on the hub: two bases beside each other, the pattern as a number."""
    new = TEXT | {"model_type": "gemma3_text", "num_hidden_layers": 12, "rope_parameters": ROPES}
    old = {key: value for key, value in new.items() if key != "rope_parameters"}
    old |= {"rope_theta": 2e5, "rope_local_base_freq": 1e3, "sliding_window_pattern": 6}
    old["rope_scaling"] = {"rope_type": "linear", "factor": 8.0}
    assert families.config_of(old) == families.config_of(new)
    assert families.config_of(old).stack.pattern == "lllllg"
