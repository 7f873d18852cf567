"""A model and its tokenizer, together: what `hornbook.load` gives and what `save` makes a folder of."""

from pathlib import Path

import torch

from hornbook.core.errors import UserError
from hornbook.exchange import folder as exchange
from hornbook.model.models import DecoderModel
from hornbook.text import tokenizer as text
from hornbook.text.tokenizer import Tokenizer


class LanguageModel:
    """`module` computes logits from ids; `tokenizer` (None, where the folder has none) makes ids of text."""

    def __init__(self, module: DecoderModel, tokenizer: Tokenizer | None) -> None:
        self.module, self.tokenizer = module, tokenizer

    @classmethod
    def load(cls, path: str | Path, *, dtype: str | None = "float32") -> "LanguageModel":
        """Read a run folder, a Hugging Face folder or a hub id; `dtype` None keeps the numbers as the file has them."""
        folder = find(path)
        number_type = None if dtype is None else getattr(torch, dtype, None)
        if dtype is not None and not isinstance(number_type, torch.dtype):
            raise UserError(f"dtype: {dtype!r} is no type of numbers; take float32, bfloat16 or float16")
        module = exchange.load(folder, dtype=number_type)
        module.eval()
        return cls(module, text.load(folder) if (folder / "tokenizer.json").is_file() else None)

    def save(self, folder: str | Path) -> None:
        """Write config.json, model.safetensors and the tokenizer: a folder that other programs read too."""
        exchange.save(self.module, Path(folder), tokenizer=self.tokenizer)


def find(path: str | Path) -> Path:
    """The model folder that a run folder, a model folder or a hub id (`org/name`, downloaded) stands for."""
    folder = Path(path)
    if (folder / "model" / "config.json").is_file():
        return folder / "model"
    if folder.exists():
        return folder
    parts = str(path).split("/")
    if len(parts) != 2 or not all(part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in parts):
        raise UserError(
            f"{path}: no such folder; give a run, a model folder, or a hub id such as openai-community/gpt2"
        )
    return _download(str(path))


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, allow_patterns=["*.json", "*.safetensors", "*.jinja"]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UserError(
            f"{hub_id}: no such folder here, and not to be had from the hub ({_first_line(error)})"
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
