"""T5 and T5 v1.1 beside transformers."""

import json
from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import families, folder
from hornbook.model.encoder_decoder import EncoderDecoder
from tests.exchange.parity import CLOSE, VOCAB, Case, Check, reference
from tests.exchange.translators import TRANSLATOR_CHECKS, batch

SIZES = {
    "vocab_size": VOCAB,
    "d_model": 24,
    "d_kv": 10,
    "d_ff": 40,
    "num_layers": 2,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "decoder_start_token_id": 0,
}
V11 = SIZES | {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "num_decoder_layers": 1}
CASES = {
    "t5": Case("T5", SIZES, "ForConditionalGeneration"),
    "t5-gelu": Case(
        "T5", SIZES | {"feed_forward_proj": "gelu", "layer_norm_epsilon": 1e-4}, "ForConditionalGeneration"
    ),
    "t5-v1.1": Case("T5", V11, "ForConditionalGeneration"),
    "t5-gated-silu": Case("T5", SIZES | {"feed_forward_proj": "gated-silu"}, "ForConditionalGeneration"),
}


@pytest.mark.parametrize("check", TRANSLATOR_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_it_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@torch.no_grad()
def test_a_head_of_its_own_as_google_published_v11(tmp_path: Path) -> None:
    """`tie_word_embeddings: false` and a `lm_head.weight` beside `shared.weight`."""
    from safetensors.torch import load_file, save_file

    theirs = reference(CASES["t5-v1.1"])
    theirs.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["lm_head.weight"] = torch.randn(VOCAB, 24)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    fields = json.loads((tmp_path / "config.json").read_text())
    fields["tie_word_embeddings"] = False
    del fields["scale_decoder_outputs"]  # newer than the published files
    (tmp_path / "config.json").write_text(json.dumps(fields))
    again = type(theirs).from_pretrained(tmp_path).eval()
    ours = folder.load(tmp_path).eval()
    assert not ours.config.head.tied
    torch.testing.assert_close(ours(**batch()).logits, again(**batch()).logits, **CLOSE)
    folder.save(ours, tmp_path / "ours")
    back = type(theirs).from_pretrained(tmp_path / "ours").eval()
    torch.testing.assert_close(back(**batch()).logits, again(**batch()).logits, **CLOSE)


@pytest.mark.parametrize("name", ["t5-small", "t5-base", "t5-v1.1-small", "t5-tiny"])
def test_the_recipe_is_its_config_json_again(name: str) -> None:
    config = recipe.load(EncoderDecoder, f"models/{name}")
    fields = families.fields_of(config)
    assert fields["model_type"] == "t5"
    assert families.config_of(fields).dim == config.dim


def test_an_mlp_nobody_knows_is_named() -> None:
    with pytest.raises(UserError, match="feed_forward_proj is 'gated-tanh'; known are relu"):
        families.config_of({**SIZES, "model_type": "t5", "feed_forward_proj": "gated-tanh"})
