"""GPT-NeoX and Pythia beside transformers."""

from pathlib import Path

import pytest

from hornbook.exchange import families
from hornbook.model.rope import Rope
from tests.exchange.parity import DECODER_CHECKS, SMALL, Case, Check

CASES = {
    "pythia": Case("GPTNeoX", SMALL),
    "one-after-the-other": Case("GPTNeoX", SMALL | {"use_parallel_residual": False, "rotary_pct": 0.5}),
    "whole-rotation-tied": Case("GPTNeoX", SMALL | {"rotary_pct": 1.0, "tie_word_embeddings": True}),
    "odd-share": Case("GPTNeoX", SMALL | {"hidden_size": 48, "rotary_pct": 0.25}),  # 3 of 12 channels: 4 turn
    "no-attention-bias": Case("GPTNeoX", SMALL | {"attention_bias": False, "hidden_act": "gelu_fast"}),
    "another-base": Case("GPTNeoX", SMALL | {"rotary_emb_base": 500, "layer_norm_eps": 1e-3}),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_neox_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_a_config_of_old_is_read() -> None:
    """As the Pythias on the hub have it."""
    old = {"model_type": "gpt_neox", "rotary_pct": 0.25, "rotary_emb_base": 10000, "use_parallel_residual": True}
    assert families.config_of(SMALL | old).stack.position == Rope(share=0.25)
