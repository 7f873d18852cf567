"""Mamba beside transformers: odd sizes, biases, ranks, its own generation with a state."""

from pathlib import Path

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.exchange import families, folder
from hornbook.exchange.family import essence
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

SMALL = {"vocab_size": VOCAB, "hidden_size": 24, "num_hidden_layers": 2, "state_size": 5}
CASES = {
    "mamba": Case("Mamba", SMALL),
    "mamba-untied-biased": Case("Mamba", SMALL | {"tie_word_embeddings": False, "use_bias": True, "time_step_rank": 7}),
    "mamba-wide": Case("Mamba", SMALL | {"expand": 3, "conv_kernel": 3, "use_conv_bias": False, "state_size": 1}),
    "mamba-eps": Case("Mamba", SMALL | {"layer_norm_epsilon": 1e-3, "conv_kernel": 6, "num_hidden_layers": 1}),
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


@pytest.mark.parametrize("case", [case for case in CASES if case != "mamba-untied-biased"])
@torch.no_grad()
def test_left_padded_writing_agrees(case: str, tmp_path: Path) -> None:
    """Beside their generation. With a bias of the input their convolution sees it in the padding, ours sees nothing."""
    (theirs, ours), ids = pair(CASES[case], tmp_path), some_ids(2, 9)
    mask = torch.ones(2, 21, dtype=torch.long)
    mask[1, :4] = 0
    want = theirs.generate(
        ids, attention_mask=mask[:, :9], max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None,
        output_logits=True, return_dict_in_generate=True,
    )  # fmt: skip
    state, new = ours.new_state(2, 21), ids
    for step, scores in enumerate(want.logits):
        found = ours(new, attention_mask=mask[:, : 9 + step], state=state).logits[:, -1]
        torch.testing.assert_close(found, scores.float(), **CLOSE)
        new = want.sequences[:, 9 + step, None]


def test_a_rank_that_goes_without_saying_does_not_change(tmp_path: Path) -> None:
    """`time_step_rank: auto`, and the number that transformers writes in its place."""
    fields = {"model_type": "mamba", **SMALL}
    assert families.config_of(fields | {"time_step_rank": "auto"}).stack.layer[0].rank is None
    assert families.config_of(fields | {"time_step_rank": 2}).stack.layer[0].rank == 2
    for rank in ("auto", 2, 9):
        config = families.config_of(fields | {"time_step_rank": rank})
        written = families.fields_of(config)
        assert (written["model_type"], written["time_step_rank"]) == ("mamba", rank)
        assert essence(families.config_of(written)) == essence(config)


def test_a_file_of_the_bare_model_is_read(tmp_path: Path) -> None:
    theirs, _ = pair(CASES["mamba"], tmp_path)
    theirs.backbone.save_pretrained(tmp_path / "bare")
    ids = some_ids(1, 9)
    with torch.no_grad():
        torch.testing.assert_close(folder.load(tmp_path / "bare").eval()(ids).logits, theirs(ids).logits, **CLOSE)


def test_another_activation_is_refused() -> None:
    with pytest.raises(UserError, match="hidden_act is 'gelu'"):
        families.config_of({"model_type": "mamba", **SMALL, "hidden_act": "gelu"})
