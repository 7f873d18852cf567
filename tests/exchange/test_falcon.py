"""Falcon's four wirings beside transformers."""

from pathlib import Path

import pytest

from tests.exchange.parity import DECODER_CHECKS, VOCAB, Case, Check

FIELDS = {"vocab_size": VOCAB, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
NEWER = FIELDS | {"new_decoder_architecture": True}
RW = FIELDS | {"alibi": True, "multi_query": False, "parallel_attn": False, "bias": True}
CASES = {
    "7b": Case("Falcon", FIELDS | {"multi_query": True}),
    "40b": Case("Falcon", NEWER | {"num_kv_heads": 2}),
    "40b-one-head": Case("Falcon", NEWER | {"num_kv_heads": 1, "bias": True, "tie_word_embeddings": False}),
    "11b": Case("Falcon", NEWER | {"num_kv_heads": 2, "num_ln_in_parallel_attn": 1, "ffn_hidden_size": 40}),
    "rw": Case("Falcon", RW),
    "heads-for-all": Case("Falcon", FIELDS | {"multi_query": False, "activation": "relu", "layer_norm_epsilon": 1e-3}),
    "long-base": Case("Falcon", FIELDS | {"rope_parameters": {"rope_theta": 500.0, "rope_type": "default"}}),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_falcon_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)
