"""Phi-3 beside transformers: fused matrices, a share of the channels that turn, long scaling."""

from pathlib import Path

import pytest
import torch

from hornbook.exchange import families
from tests.exchange.parity import CLOSE, DECODER_CHECKS, SMALL, Case, Check, pair, some_ids

TOKENS = SMALL | {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
LONG = {"rope_type": "longrope", "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.0, 1.5, 4.0, 8.0]}
CASES = {
    "plain": Case("Phi3", TOKENS),
    "grouped-window-tied": Case(
        "Phi3", TOKENS | {"num_key_value_heads": 2, "sliding_window": 7, "tie_word_embeddings": True, "embd_pdrop": 0.1}
    ),
    "partial": Case("Phi3", TOKENS | {"rope_parameters": {"partial_rotary_factor": 0.5, "rope_type": "default"}}),
    "long": Case("Phi3", TOKENS | {"original_max_position_embeddings": 32, "rope_parameters": LONG}),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_phi_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@torch.no_grad()
def test_texts_beyond_the_training_length_are_stretched_by_other_factors(tmp_path: Path) -> None:
    """32 tokens take the short factors, 33 the long ones."""
    theirs, ours = pair(CASES["long"], tmp_path)
    for time in (32, 33, 60):
        ids = some_ids(1, time)
        torch.testing.assert_close(ours(ids).logits, theirs(ids).logits, **CLOSE)


def test_long_scaling_by_its_old_names_is_read() -> None:
    new = {"model_type": "phi3", **TOKENS, "original_max_position_embeddings": 32, "rope_parameters": LONG}
    named = {key: value for key, value in LONG.items() if key != "rope_type"}
    for name in ("su", "yarn"):
        old = {key: value for key, value in new.items() if key != "rope_parameters"}
        old["rope_scaling"] = named | {"type": name}
        assert families.config_of(old).stack.position == families.config_of(new).stack.position
