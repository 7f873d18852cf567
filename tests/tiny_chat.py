"""A chat model of random weights, with the template ChatML."""

import torch

from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.model.models import Model
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def chat_model() -> LanguageModel:
    """Made anew, always the same."""
    tokenizer = BPE(vocab=300, split="gpt2", special=SPECIAL).train(
        ["the cat and the hat sat on the mat\n"] * 9, processes=1
    )
    torch.manual_seed(0)
    config = recipe.load(Model, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}", "length=96"])
    return LanguageModel(config.build().eval(), tokenizer, Renderer(tokenizer))
