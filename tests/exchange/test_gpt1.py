"""GPT-1 beside transformers."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.exchange import families
from tests.exchange.parity import DECODER_CHECKS, VOCAB, Case, Check

FIELDS = {"vocab_size": VOCAB, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
CASES = {
    "plain": Case("OpenAIGPT", FIELDS, "LMHeadModel"),
    "relu-untied": Case("OpenAIGPT", FIELDS | {"afn": "relu", "tie_word_embeddings": False}, "LMHeadModel"),
    "three-heads": Case("OpenAIGPT", FIELDS | {"n_embd": 30, "n_head": 3, "layer_norm_epsilon": 1e-3}, "LMHeadModel"),
}
# transformers' class has no cache, and its `generate` gives no positions to padded rows
KNOWN = [check for check in DECODER_CHECKS if check.__name__ != "padded_decoding_agrees"]


@pytest.mark.parametrize("check", KNOWN)
@pytest.mark.parametrize("case", CASES)
def test_a_gpt1_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_what_is_not_built_is_refused() -> None:
    with pytest.raises(UserError, match="afn is 'swish9'; known are gelu, relu, silu"):
        families.config_of(FIELDS | {"model_type": "openai-gpt", "afn": "swish9"})
