"""The models that a server has, by the names that clients call them.

Every model has its engine. A LoRA adapter goes by a name of its own and stands in its base's batch (row_adapters.py);
one that cannot (DoRA, modules that learned whole) has an engine of its own over the same weights in memory. What only
reads (an encoder, a decoder without its mask) has no engine and answers with vectors alone.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hornbook.core.errors import UserError
from hornbook.exchange import peft
from hornbook.generate import row_adapters
from hornbook.generate.hub import find
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.serving import Engine, EngineSettings
from hornbook.model.quantised import Kind
from hornbook.serve.errors import Refused
from hornbook.serve.tool_forms import Form, form_of
from hornbook.text.tokenizer import Tokenizer

PLAIN_NAMES = {"adapter", "model"}  # folders whose name says nothing: the one above says more


@dataclass
class Served:
    """One name that clients may call."""

    name: str
    lm: LanguageModel
    engine: Engine | None  # None: it reads and does not write
    base: str | None = None  # of an adapter: the name of the model it is on
    adapter: str | None = None  # what its requests ask the base's engine for
    created: int = field(default_factory=lambda: int(time.time()))
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)  # one text at a time becomes a vector

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""
        if self.lm.tokenizer is None:
            raise Refused(f"model {self.name!r}: has no tokenizer, so text means nothing to it", param="model")
        return self.lm.tokenizer

    @cached_property
    def window(self) -> int:
        """Tokens it sees, those it writes included."""
        length: int = self.lm.module.config.length
        return length if self.engine is None else min(length, self.engine.settings.capacity or length)

    @cached_property
    def calls(self) -> Form | None:
        """The form in which it writes calls of tools, where that is known."""
        return None if self.lm.renderer is None else form_of(self.lm.renderer.source)

    @property
    def card(self) -> dict[str, Any]:
        """What GET /v1/models says of it."""
        abilities = [
            name for name, can in (("completions", self.engine), ("chat", self.lm.chats)) if can and self.engine
        ]
        return {
            "id": self.name,
            "object": "model",
            "created": self.created,
            "owned_by": "hornbook",
            "parent": self.base,
            "max_model_len": self.window,
            "abilities": [*abilities, *(["embeddings"] if self.lm.tokenizer is not None else [])],
        }

    def writer(self) -> Engine:
        """Its engine; 400 where it has none."""
        if self.engine is None:
            raise Refused(f"model {self.name!r}: reads texts and writes none; ask it for /v1/embeddings", param="model")
        return self.engine

    @cached_property
    def spelled(self) -> dict[int, bytes]:
        """The bytes of ids that were asked for, kept."""
        return {}

    def spell(self, token: int) -> bytes:
        """The bytes that an id adds in the middle of a text."""
        if token not in self.spelled:
            before = self.tokenizer.encode("a")[-1:]
            known = self.tokenizer.decode_bytes(before)
            self.spelled[token] = self.tokenizer.decode_bytes([*before, token])[len(known) :]
        return self.spelled[token]


class Shelf:
    """Names and what they stand for, in the order given; the first is taken where a request names none."""

    def __init__(self, models: Iterable[Served]) -> None:
        self.models: dict[str, Served] = {}
        for model in models:
            if model.name in self.models:
                raise UserError(f"{model.name}: two models have this name; give one another: other={model.name}")
            self.models[model.name] = model

    def find(self, name: str | None) -> Served:
        """The model of a name; 404 where there is none."""
        if name is None:
            return next(iter(self.models.values()))
        if name not in self.models:
            there = ", ".join(self.models)
            raise Refused(
                f"model {name[:100]!r}: is not here; there is {there}", 404, code="model_not_found", param="model"
            )
        return self.models[name]

    @property
    def engines(self) -> Mapping[str, Engine]:
        """Every engine, by the name of its model."""
        own = {name: model for name, model in self.models.items() if model.adapter is None}
        return {name: model.engine for name, model in own.items() if model.engine is not None}

    def close(self, *, drain: bool = True) -> None:
        """End every engine; `drain`: once what it has is written."""
        for engine in self.engines.values():
            engine.close(drain=drain)


def name_of(path: str) -> str:
    """What a model is called where nobody says it.

    >>> name_of("runs/demo"), name_of("runs/demo/model"), name_of("org/some-model"), name_of("a/b.Q8_0.gguf")
    ('demo', 'demo', 'some-model', 'b.Q8_0')
    """
    parts = [part for part in Path(path).parts if part not in PLAIN_NAMES] or ["model"]
    return parts[-1].removesuffix(".gguf")


def split(word: str) -> tuple[str, str]:
    """A word of the command line, `name=path` or `path`, as name and path.

    >>> split("small=runs/demo"), split("runs/demo")
    (('small', 'runs/demo'), ('demo', 'runs/demo'))
    """
    name, equals, path = word.partition("=")
    return (name, path) if equals and name and "/" not in name else (name_of(word), word)


def writes(lm: LanguageModel) -> bool:
    """Whether a model writes at all."""
    try:
        lm.limits(1)
    except UserError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How models are loaded."""

    engine: EngineSettings = field(default_factory=EngineSettings)
    dtype: str = "float32"  # of the weights
    quantise: Kind | None = None  # how matrices are stored; None: as they are

    def model(self, name: str, path: str, base: str | None = None) -> Served:
        """Load a model, or an adapter folded into its base where it is quantised."""
        lm = LanguageModel.load(path, dtype=self.dtype, base=base, quantise=self.quantise)
        if lm.tokenizer is None:
            raise UserError(f"{name}: has no tokenizer, so no text can be sent to it; add tokenizer.json to its folder")
        return Served(name, lm, Engine(lm, self.engine) if writes(lm) else None)

    def adapter(self, name: str, path: str, base: Served, base_path: str) -> Served:
        """An adapter in its base's batch, or where it cannot stand there, a model that shares the base's tensors."""
        if not peft.is_adapter(find(path)):
            raise UserError(f"--adapter {path}: is no adapter's folder (no adapter_config.json); give it as a model")
        content = peft.read(find(path), base.lm.module)
        if row_adapters.fits(base.lm.module, content):
            row_adapters.put_beside(base.lm.module, name, content)
            return replace(base, name=name, base=base.name, adapter=name)
        alone = self.model(name, path, base_path)
        share(alone.lm.module, base.lm.module)
        return replace(alone, base=base.name)


def open_models(words: Sequence[str], opening: Opening, *, adapters: Sequence[str] = ()) -> Shelf:
    """Load the models named on the command line and start their engines; adapters are put on the first of them."""
    models = [opening.model(name, path) for name, path in map(split, words)]
    first, path = models[0], split(words[0])[1]
    models += [opening.adapter(name, folder, first, path) for name, folder in map(split, adapters)]
    shelf = Shelf(models)
    for engine in shelf.engines.values():
        engine.start()
    return shelf


def share(module: nn.Module, base: nn.Module) -> int:
    """Let a model hold another's tensors wherever its own are equal to them; how many."""
    theirs, shared = dict(base.named_parameters()), 0
    for name, parameter in module.named_parameters():
        other = theirs.get(name)
        if other is not None and other.shape == parameter.shape and torch.equal(other, parameter):
            parameter.data, shared = other.data, shared + 1
    return shared
