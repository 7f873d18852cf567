"""The models that a server has, by the names that clients call them.

Every model has one engine; adapters go by names of their own and share their base's engine. A model that only reads
(an encoder, a decoder without its mask) has none and answers with vectors alone.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.serving import Engine, EngineSettings
from hornbook.serve.errors import Refused
from hornbook.text.tokenizer import Tokenizer

PLAIN_NAMES = {"model", "final", "merged"}  # folders whose name says nothing: the one above says more


@dataclass
class Served:
    """One name that clients may call."""

    name: str
    lm: LanguageModel
    engine: Engine | None  # None: it reads and does not write
    adapter: str | None = None  # the adapter that is on when this name is called
    base: str | None = None  # the name without it
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
        """Every engine once, by the name of its model."""
        return {
            name: model.engine for name, model in self.models.items() if model.engine is not None and model.base is None
        }

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
    words: Iterable[str], settings: EngineSettings, *, adapters: Iterable[str] = (), dtype: str = "float32"
) -> Shelf:
    """Load the models named on the command line and start their engines."""
    models = []
    for name, path in map(split, words):
        lm = LanguageModel.load(path, dtype=dtype)
        if lm.tokenizer is None:
            raise UserError(f"{path}: has no tokenizer, so no text can be sent to it; add tokenizer.json to the folder")
        engine = Engine(lm, settings) if writes(lm) else None
        models.append(Served(name, lm, engine))
    shelf = Shelf(models)
    for engine in shelf.engines.values():
        engine.start()
    return shelf
