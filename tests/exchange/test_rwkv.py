"""RWKV-4 beside transformers: odd sizes, both kinds of head, its own generation with a state, halved streams."""

from pathlib import Path

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.exchange import families
from tests.exchange.parity import (
    CLOSE,
    VOCAB,
    Case,
    Check,
    a_later_token_changes_nothing_earlier,
    logits_agree_both_ways,
    packed_documents_are_rows_of_their_own,
    padding_changes_nothing,
    pair,
    some_ids,
    token_by_token_is_the_full_forward,
)

SMALL = {"vocab_size": VOCAB, "hidden_size": 24, "num_hidden_layers": 3, "context_length": 64}
CASES = {
    "rwkv": Case("Rwkv", SMALL),
    "rwkv-tied": Case("Rwkv", SMALL | {"tie_word_embeddings": True, "intermediate_size": 50}),
    "rwkv-narrow": Case("Rwkv", SMALL | {"attention_hidden_size": 10, "num_hidden_layers": 2, "use_cache": False}),
    "rwkv-wide": Case("Rwkv", SMALL | {"attention_hidden_size": 40, "rescale_every": 0, "use_cache": False}),
}
CHECKS: list[Check] = [
    logits_agree_both_ways,
    padding_changes_nothing,
    packed_documents_are_rows_of_their_own,
    token_by_token_is_the_full_forward,
    a_later_token_changes_nothing_earlier,
]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_it_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@torch.no_grad()
def test_writing_agrees(tmp_path: Path) -> None:
    """Token by token through both states. (Theirs knows no padding, and mixes the rows of a batch.)"""
    (theirs, ours), ids = pair(CASES["rwkv"], tmp_path), some_ids(1, 20)
    state, remembered = ours.new_state(1, 20), None
    for start, end in [(0, 9), *((i, i + 1) for i in range(9, 20))]:
        answer = theirs(ids[:, start:end], state=remembered, use_cache=True)
        remembered = answer.state
        torch.testing.assert_close(ours(ids[:, start:end], state=state).logits, answer.logits, **CLOSE)


@torch.no_grad()
def test_halving_the_stream_changes_next_to_nothing(tmp_path: Path) -> None:
    """`rescale_every`: twice halved, the norms' eps weighs 16 times as much and the logits differ by rounding."""
    deep = Case("Rwkv", SMALL | {"num_hidden_layers": 8, "rescale_every": 3})
    theirs, ours = pair(deep, tmp_path)
    torch.testing.assert_close(ours(some_ids(2, 30)).logits, theirs(some_ids(2, 30)).logits, rtol=0, atol=1e-4)


def test_another_eps_is_refused() -> None:
    """transformers gives it to all norms but the last."""
    with pytest.raises(UserError, match=r"layer_norm_epsilon is 0\.001"):
        families.config_of({"model_type": "rwkv", **SMALL, "layer_norm_epsilon": 1e-3})
