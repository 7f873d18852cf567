"""The small models that lm-evaluation-harness has scored: drawn from a seed, saved as Hugging Face folders.

`tiny` reads 2048 tokens, `short` so few that contexts are cut, `begins` has a tokenizer that puts a mark before a text,
`chat` a chat template.
"""

import json
from pathlib import Path

import torch

from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.model.models import Model
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

LENGTHS = {"tiny": 2048, "short": 160, "begins": 2048, "chat": 2048}
TEXT = (
    "Question: Which of the following is the best answer? The water in the river was not cold, "
    "and what she said about\nthe people of that country is true. "
    "Answer: yes, no. Then they go on with the man who would have been there.\n"
)
ROPE = ["stack.position.scaling=null"]  # plain RoPE: the context is longer than the recipe's


def make(name: str, folder: Path) -> Path:
    """Write a model; its logits are far enough apart that rounding turns no answer around."""
    tokenizer = BPE(vocab=400).train([TEXT] * 20, processes=1)
    changed = [f"embed.vocab={tokenizer.vocab}", f"length={LENGTHS[name]}", "init={type: normal, std: 0.2}", *ROPE]
    config = recipe.load(Model, "models/llama-tiny", changed)  # type: ignore[arg-type]
    renderer = Renderer(tokenizer) if name == "chat" else None
    LanguageModel(config.build(torch.Generator().manual_seed(6)).eval(), tokenizer, renderer).save(folder)
    if name == "begins":
        _begin(folder / "tokenizer.json", tokenizer.end)
    return folder


def _begin(path: Path, id: int) -> None:
    """Every text begins with the end token, as Llama's do with theirs."""
    content = json.loads(path.read_text())
    token = next(each["content"] for each in content["added_tokens"] if each["id"] == id)
    mark, text = {"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    other = {"Sequence": {"id": "B", "type_id": 0}}
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [mark, text],
        "pair": [mark, text, other],
        "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]}},
    }
    path.write_text(json.dumps(content, ensure_ascii=False))
