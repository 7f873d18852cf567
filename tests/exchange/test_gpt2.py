"""GPT-2 beside transformers."""

from pathlib import Path

import pytest
import torch

from hornbook.exchange import folder
from tests.exchange.parity import DECODER_CHECKS, Case, Check, reference

FIELDS = {
    "vocab_size": 61,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
UNTIED = {"tie_word_embeddings": False, "n_inner": 40, "layer_norm_epsilon": 1e-3}
CASES = {
    "plain": Case("GPT2", FIELDS, "LMHeadModel"),
    "untied-inner": Case("GPT2", FIELDS | UNTIED, "LMHeadModel"),
    "relu": Case("GPT2", FIELDS | {"activation_function": "relu"}, "LMHeadModel"),
}


@pytest.mark.parametrize("check", DECODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_gpt2_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_a_file_of_the_bare_model_and_old_buffers_are_read(tmp_path: Path) -> None:
    """openai-community/gpt2 on the hub has no `transformer.` before its names, and keeps its causal masks."""
    from safetensors.torch import load_file, save_file

    reference(CASES["plain"]).save_pretrained(tmp_path)
    tensors = {name.removeprefix("transformer."): t for name, t in load_file(tmp_path / "model.safetensors").items()}
    tensors["h.0.attn.bias"] = torch.ones(1, 1, 64, 64)
    save_file(tensors, tmp_path / "model.safetensors")
    assert (
        sum(p.numel() for p in folder.load(tmp_path).parameters()) == sum(t.numel() for t in tensors.values()) - 64**2
    )
