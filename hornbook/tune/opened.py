"""The model that a stage starts from, opened: its weights to be trained, its tokenizer, and how it is saved again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from hornbook.adapt.adapter import Adapter, attach
from hornbook.adapt.freeze import Freeze
from hornbook.core.errors import RecipeError, UserError
from hornbook.generate import adapters
from hornbook.generate.language_model import LanguageModel
from hornbook.model.both_ways import looks_ahead
from hornbook.model.decoder import DecoderModel
from hornbook.text.tokenizer import Tokenizer
from hornbook.tune.place import Place


@dataclass(frozen=True)
class Opened:
    """A model with its tokenizer."""

    lm: LanguageModel
    path: Path | None = None  # where it was; an adapter that is saved beside the model remembers it

    @classmethod
    def at(cls, path: Path) -> "Opened":
        """The model of a folder or file."""
        return cls(LanguageModel.load(path), path)

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's own; UserError where it has none."""
        if self.lm.tokenizer is None:
            raise UserError("base: has no tokenizer, so text means nothing to it; add the tokenizer to its folder")
        return self.lm.tokenizer

    @property
    def decoder(self) -> DecoderModel:
        """The model, which goes on with a text; UserError where it does not."""
        module = self.lm.module
        if not isinstance(module, DecoderModel) or looks_ahead(module.config):
            raise UserError("base: does not go on with a text, so it has no next token to learn; take a language model")
        return module

    def learns(self, place: Place, adapter: Adapter | None, freeze: Freeze | None) -> None:
        """Let all of the model learn, a part of it, or an adapter beside it."""
        if adapter is not None and freeze is not None:
            raise RecipeError("adapter, freeze: an adapter leaves all weights as they are; give one of the two")
        if adapter is not None:
            attach(self.lm.module, adapter, torch.Generator().manual_seed(place.seed))
        if freeze is not None:
            freeze.apply(self.lm.module)

    def saving(self) -> Callable[[Path], None]:
        """What writes the folder of the trained model, an adapter folded in; the adapter alone goes beside it."""

        def save(folder: Path) -> None:
            adapters.save(self.lm, folder, base=self.path or "")

        return save
