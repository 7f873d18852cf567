"""The models that a server has, by the names that clients call them.

Every model has its engine; a LoRA adapter goes by a name of its own and shares its base's weights in memory. A model
that only reads (an encoder, a decoder without its mask) has no engine and answers with vectors alone.
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
from hornbook.generate.hub import find
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.serving import Engine, EngineSettings
from hornbook.serve.errors import Refused
from hornbook.text.tokenizer import Tokenizer

PLAIN_NAMES = {"adapter", "model"}  # folders whose name says nothing: the one above says more


@dataclass
class Served:
    """One name that clients may call."""

    name: str
    lm: LanguageModel
    engine: Engine | None  # None: it reads and does not write
    base: str | None = None  # of an adapter: the name of the model it is on
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
        return {name: model.engine for name, model in self.models.items() if model.engine is not None}

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


def open_models(
    words: Sequence[str], settings: EngineSettings, *, adapters: Sequence[str] = (), dtype: str = "float32"
) -> Shelf:
    """Load the models named on the command line and start their engines; adapters are put on the first of them."""
    models = [_served(name, LanguageModel.load(path, dtype=dtype), settings) for name, path in map(split, words)]
    for name, path in map(split, adapters):
        if not peft.is_adapter(find(path)):
            raise UserError(f"--adapter {path}: is no adapter's folder (no adapter_config.json); give it as a model")
        lm = LanguageModel.load(path, dtype=dtype, base=split(words[0])[1])
        share(lm.module, models[0].lm.module)
        models.append(replace(_served(name, lm, settings), base=models[0].name))
    shelf = Shelf(models)
    for engine in shelf.engines.values():
        engine.start()
    return shelf


def _served(name: str, lm: LanguageModel, settings: EngineSettings) -> Served:
    if lm.tokenizer is None:
        raise UserError(f"{name}: has no tokenizer, so no text can be sent to it; add tokenizer.json to its folder")
    return Served(name, lm, Engine(lm, settings) if writes(lm) else None)


def share(module: nn.Module, base: nn.Module) -> int:
    """Let a model hold another's tensors wherever its own are equal to them; how many."""
    theirs, shared = dict(base.named_parameters()), 0
    for name, parameter in module.named_parameters():
        other = theirs.get(name)
        if other is not None and other.shape == parameter.shape and torch.equal(other, parameter):
            parameter.data, shared = other.data, shared + 1
    return shared
