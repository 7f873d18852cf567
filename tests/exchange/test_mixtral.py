"""Mixtral beside transformers: logits, and the loss that balances its experts."""

from pathlib import Path

import pytest
import torch

from tests.exchange.parity import DECODER_CHECKS, SMALL, Case, Check, pair, some_ids

CASES = {
    "two-of-four": Case("Mixtral", SMALL | {"num_key_value_heads": 2, "num_local_experts": 4}),
    "three-of-five-window": Case(
        "Mixtral",
        SMALL
        | {
            "num_key_value_heads": 4,
            "num_local_experts": 5,
            "num_experts_per_tok": 3,
            "sliding_window": 6,
            "head_dim": 12,
        },
    ),
    "tied-biased-router": Case(
        "Mixtral",
        SMALL
        | {"num_key_value_heads": 1, "num_local_experts": 3, "tie_word_embeddings": True, "initializer_range": 0.1},
    ),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_mixtral_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_the_balancing_loss_is_transformers(case: str, padded: bool, tmp_path: Path) -> None:
    """Over all layers, without padding, and its gradient."""
    (theirs, ours), ids = pair(CASES[case], tmp_path), some_ids(3, 17)
    mask = torch.ones(3, 17, dtype=torch.long)
    if padded:
        mask[0, :5], mask[2, 9:] = 0, 0
    output = theirs(ids, attention_mask=mask, output_router_logits=True)
    weight = theirs.router_aux_loss_coef
    found = ours.train()(ids, attention_mask=mask if padded else None).balance
    torch.testing.assert_close(found, weight * output.aux_loss)
    (weight * output.aux_loss).backward()
    found.backward()
    their_router = theirs.model.layers[0].mlp.gate.weight.grad
    torch.testing.assert_close(ours.stack.layers[0][1].op.router.weight.grad, their_router, rtol=1e-4, atol=1e-7)
