"""OPT beside transformers."""

from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.exchange import families
from tests.exchange.parity import DECODER_CHECKS, VOCAB, Case, Check

FIELDS = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "word_embed_proj_dim": 32,
    "ffn_dim": 56,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}
CASES = {
    "plain": Case("OPT", FIELDS),
    "post-norm": Case("OPT", FIELDS | {"do_layer_norm_before": False}),
    "galactica": Case("OPT", FIELDS | {"enable_bias": False, "activation_function": "gelu"}),
    "norms-without-gain-untied": Case(
        "OPT", FIELDS | {"layer_norm_elementwise_affine": False, "tie_word_embeddings": False}
    ),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_an_opt_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"word_embed_proj_dim": 16}, "word_embed_proj_dim is 16; of this kind of model only 32 is supported"),
        ({"_remove_final_layer_norm": True}, "_remove_final_layer_norm is True"),
    ],
)
def test_what_is_not_built_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        families.config_of(FIELDS | {"model_type": "opt"} | change)
