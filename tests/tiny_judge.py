"""A judge of a few thousand parameters that always says the same, by construction: every token names the next one."""

import itertools

import torch

from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.model.models import Model
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SURE = 20.0  # what the next token's score is above the others'


def judge_that_says(reply: str) -> LanguageModel:
    """A chat model with ChatML's template; its layers add nothing, so that its last token alone decides."""
    tokenizer = BPE(vocab=400, split="gpt2", special=SPECIAL).train([f"{reply}\n"] * 9, processes=1)
    config = recipe.load(Model, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}", "length=4096"])
    module = config.build().eval()
    chain = [*tokenizer.encode("\n"), *tokenizer.encode(reply), tokenizer.special["<|im_end|>"]]
    assert len(set(chain)) == len(chain) <= config.dim, "a token of the reply would have two successors"
    with torch.no_grad():
        for weight in module.parameters():
            if weight.ndim == 2:
                weight.zero_()
        for place, (token, following) in enumerate(itertools.pairwise(chain)):
            module.embed.table.weight[token, place] = 1.0
            module.head.weight[following, place] = SURE / config.dim**0.5
    return LanguageModel(module, tokenizer, Renderer(tokenizer))
