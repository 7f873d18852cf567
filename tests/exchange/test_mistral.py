"""Mistral beside transformers, with windows shorter and longer than the row."""

from pathlib import Path

import pytest

from hornbook.exchange import families
from tests.exchange.parity import DECODER_CHECKS, SMALL, Case, Check

CASES = {
    "short-window": Case("Mistral", SMALL | {"num_key_value_heads": 2, "sliding_window": 5}),
    "long-window-wide-heads": Case("Mistral", SMALL | {"num_key_value_heads": 1, "sliding_window": 50, "head_dim": 20}),
    "no-window-tied": Case(
        "Mistral", SMALL | {"num_key_value_heads": 4, "sliding_window": None, "tie_word_embeddings": True}
    ),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_mistral_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_a_file_that_says_nothing_has_the_window_of_the_first_version() -> None:
    fields = {key: value for key, value in SMALL.items() if key != "num_key_value_heads"} | {"num_attention_heads": 8}
    attention = families.config_of({"model_type": "mistral", **fields}).stack.plan()[0][0]
    assert (attention.window, attention.kv_heads) == (4096, 8)
    none = families.config_of({"model_type": "mistral", "sliding_window": None, **fields})
    assert none.stack.plan()[0][0].window is None
