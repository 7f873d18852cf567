"""Llama 1, 2 and 3 beside transformers."""

from pathlib import Path

import pytest

from hornbook.exchange import families
from tests.exchange.parity import DECODER_CHECKS, SMALL, Case, Check

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
CASES = {
    "plain": Case("Llama", SMALL),
    "single-head-tied": Case("Llama", SMALL | {"num_key_value_heads": 1, "tie_word_embeddings": True}),
    "biases-wide-heads": Case("Llama", SMALL | {"attention_bias": True, "mlp_bias": True, "head_dim": 24}),
    "gelu-eps": Case("Llama", SMALL | {"hidden_act": "gelu", "rms_norm_eps": 1e-3}),
    "llama3": Case("Llama", SMALL | {"num_key_value_heads": 2, "rope_parameters": LLAMA3}),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_llama_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_configs_of_old_are_read() -> None:
    """`rope_theta` and `rope_scaling`, as transformers wrote them before version 5; Llama 1 names neither."""
    old = {
        "model_type": "llama",
        "rope_theta": 5e5,
        "rope_scaling": {k: v for k, v in LLAMA3.items() if k != "rope_theta"},
    }
    position = families.config_of(SMALL | old).stack.position
    new = families.config_of(SMALL | {"model_type": "llama", "rope_parameters": LLAMA3 | {"rope_theta": 5e5}})
    assert position == new.stack.position
    bare = families.config_of(SMALL | {"architectures": ["LlamaForCausalLM"]})
    assert bare.stack.layer[0].kv_heads == 4
