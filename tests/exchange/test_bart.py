"""BART and Marian beside transformers."""

from pathlib import Path

import pytest

from hornbook.core import recipe
from hornbook.exchange import families
from hornbook.model.encoder_decoder import EncoderDecoder
from tests.exchange.parity import VOCAB, Case, Check
from tests.exchange.translators import TRANSLATOR_CHECKS

SIZES = {
    "vocab_size": VOCAB,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}
CASES = {
    "bart": Case("Bart", SIZES | {"bos_token_id": 1}, "ForConditionalGeneration"),
    "bart-scaled-relu": Case(
        "Bart",
        SIZES | {"bos_token_id": 1, "scale_embedding": True, "activation_function": "relu"},
        "ForConditionalGeneration",
    ),
    "marian": Case("Marian", SIZES | {"scale_embedding": True, "activation_function": "swish"}, "MTModel"),
    "marian-two-tables": Case(
        "Marian",
        SIZES | {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": VOCAB, "tie_word_embeddings": True},
        "MTModel",
    ),
}


@pytest.mark.parametrize("check", TRANSLATOR_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_it_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@pytest.mark.parametrize("name", ["bart-base", "bart-large", "bart-tiny", "marian-tiny"])
def test_the_recipe_is_its_config_json_again(name: str) -> None:
    config = recipe.load(EncoderDecoder, f"models/{name}")
    fields = families.fields_of(config)
    assert fields["model_type"] == name.split("-")[0]
    assert families.config_of(fields).dim == config.dim
