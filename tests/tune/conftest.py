"""A tiny base model that every stage's tests start from."""

from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.text.bpe import BPE
from tests.tune import planted

TEXT = (
    "The small red fox and the old grey wolf ran over two green hills, and one of them sang: 3 + 4 = 7! 你好，世界。\n"  # noqa: RUF001
)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a decoder of 0.1 M untrained parameters, 128 tokens of context, ChatML's marks in its tokenizer."""
    folder = tmp_path_factory.mktemp("base") / "model"
    tokenizer = BPE(vocab=400).train([TEXT] * 20)
    sizes = ["length=128", "dim=48", f"embed.vocab={tokenizer.vocab}", "stack.layers=2"]
    layer = ["stack.layer.0.heads=4", "stack.layer.0.kv_heads=2", "stack.layer.1.hidden=96"]
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", sizes + layer)
    LanguageModel(config.build(torch.Generator().manual_seed(0)), tokenizer).save(folder)
    return folder


@pytest.fixture(scope="session")
def planted_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that says the forbidden word in every second answer (planted.py); 15 seconds."""
    return planted.base(tmp_path_factory.mktemp("planted") / "base")
