"""Tiny models with random weights: ours alone, and the same weights in transformers."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core import recipe
from hornbook.exchange import folder
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.model.embed import Tokens
from hornbook.model.head import Language
from hornbook.model.init import Normal
from hornbook.model.mlp import GatedMLP
from hornbook.model.models import AnyModel, Model
from hornbook.model.norm import RMSNorm
from hornbook.model.rope import Rope
from hornbook.model.stack import Stack

ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
LLAMA = {
    "vocab_size": 37,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.4,
    "tie_word_embeddings": False,
    **ENDS,
}
BART = {
    "vocab_size": 61,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 40,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
    "init_std": 0.3,
    **ENDS,
}
T5 = {
    "vocab_size": 61,
    "d_model": 24,
    "d_kv": 10,
    "d_ff": 40,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "decoder_start_token_id": 0,
    "initializer_factor": 1.5,
    **ENDS,
    "eos_token_id": 1,
}
MARIAN = {**BART, "init_std": 0.8, "decoder_start_token_id": 0, "decoder_vocab_size": 61}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "LlamaForCausalLM": LLAMA,
    "BartForConditionalGeneration": BART,
    "T5ForConditionalGeneration": T5,
    "MarianMTModel": MARIAN,
}


def both(name: str, place: Path) -> tuple[Any, AnyModel]:
    """A model of transformers and the same weights in ours."""
    hf = pytest.importorskip("transformers")
    torch.manual_seed(3)
    kind = getattr(hf, name)
    theirs = kind(kind.config_class(**ARGUMENTS[name])).eval()
    theirs.save_pretrained(place)
    return theirs, folder.load(place).eval()


def small(vocab: int = 5, seed: int = 0, *, layers: int = 1, length: int = 32) -> DecoderModel:
    """A small Llama of ours."""
    stack = Stack(layers=layers, layer=[Attention(heads=2), GatedMLP(hidden=16)], norm=RMSNorm(), position=Rope())
    config = Decoder(
        dim=8,
        length=length,
        embed=Tokens(vocab=vocab),
        stack=stack,
        head=Language(tied=False),
        init=Normal(std=0.6),
    )
    return config.build(torch.Generator().manual_seed(seed)).eval()


def shaken(name: str, seed: int = 1) -> AnyModel:
    """A recipe's model with weights that say something."""
    model = recipe.load(Model, f"models/{name}").build(torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed)))
    return model.eval()
