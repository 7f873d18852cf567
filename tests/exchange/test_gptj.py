"""GPT-J beside transformers, and its order of rotary channels."""

from pathlib import Path

import pytest
import torch

from hornbook.exchange.gptj import Halves
from tests.exchange.parity import DECODER_CHECKS, VOCAB, Case, Check

FIELDS = {"vocab_size": VOCAB, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "rotary_dim": 4}
CASES = {
    "plain": Case("GPTJ", FIELDS),
    "whole-rotation-inner": Case("GPTJ", FIELDS | {"rotary_dim": 8, "n_inner": 40}),
    "three-heads": Case("GPTJ", FIELDS | {"n_embd": 42, "n_head": 3, "rotary_dim": 6, "layer_norm_epsilon": 1e-3}),
    "tied-relu": Case("GPTJ", FIELDS | {"tie_word_embeddings": True, "activation_function": "relu"}),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_gptj_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_neighbours_become_halves_and_back() -> None:
    halves, theirs = Halves(heads=2, width=4), torch.arange(10)[:, None]  # two heads of five channels
    (ours,) = halves.split(theirs, [(10, 1)])
    assert ours.flatten().tolist() == [0, 2, 1, 3, 4, 5, 7, 6, 8, 9]
    assert halves.join([ours]).equal(theirs)
