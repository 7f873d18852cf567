"""The built-in recipes: each can be read, and between them they use every option there is (no dead options)."""

import dataclasses
import importlib.util
import inspect
import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook import settings
from hornbook.align.assistant import Assistant
from hornbook.align.rules import Rules
from hornbook.build import Build
from hornbook.core import recipe as recipes
from hornbook.corpus.images import ImageFiles
from hornbook.corpus.pipeline import Corpus
from hornbook.evaluate.judge import Judge
from hornbook.evaluate.tasks import Task
from hornbook.model.models import Decoder, Encoder, EncoderDecoder, Model
from hornbook.synthesize import Synthesis

FOLDER = Path(settings.__file__).parent / "recipes"
NAMES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.yaml"))

UNUSED: dict[str, str] = {
    "ray": "a recipe is for any machine; who has a cluster says so in the command (tests/corpus/test_ray_engine.py)",
    "ray.address": "is that of somebody's cluster",
    "sequence_classifier.bias": "a stage sets it: encoders have one, decoders none (hornbook/tune/classify.py)",
    "regression.bias": "a stage sets it: a reward model has none (hornbook/tune/reward.py)",
    "endpoint.key": "is a file of somebody's own (tests/align/test_speaker.py)",
    "exact_match.space": "is none in a script without spaces (tests/evaluate/test_exact_match.py)",
    "train.evaluate_every": "asks a benchmark whose files are somebody's own (tests/test_questions.py)",
    "train.questions": "is what it asks",
    "questions": "is what it asks",
    "questions.tasks": "is what it asks",
    "questions.data": "is what it asks",
    "questions.limit": "is what it asks",
    "mesh.context": "is refused by the loop so far (hornbook/train/layout.py)",
    "mesh.expert": "is refused by the loop so far",
    "mesh.pipeline": "is refused by the loop so far",
    "mesh.schedule": "is refused by the loop so far",
    "rule.function": "is in a file of somebody's own (tests/align/test_rules.py)",
}


KINDS: dict[str, Any] = {
    "corpus": Corpus,
    "synthetic": Synthesis,
    "models": Decoder | Encoder | EncoderDecoder,
    "evaluate": Task,
    "judges": Judge,
    "rules": Rules,
    "assistants": Assistant,
}


def kind_of(name: str) -> Any:
    return KINDS.get(name.partition("/")[0], settings.Recipe | settings.Tuning)


def load(name: str) -> Any:
    """A recipe as its command reads it; a model that leaves its vocabulary to the tokenizer gets one."""
    folder = name.partition("/")[0]
    if folder == "models":
        whole = {"embed", "source"} & recipes.read(recipes.find(name)).keys()
        return recipes.load(Model, name, [] if whole else LENT)
    return recipes.load(KINDS[folder], name) if folder in KINDS else settings.open_recipe(name)


LENT = ["embed.vocab=131", "length=64"]


def classes(kind: Any) -> Iterator[type]:
    """Every config class that a field of this type may hold, at any depth."""
    seen: set[type] = set()

    def visit(kind: Any) -> Iterator[type]:
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            if kind not in seen:
                seen.add(kind)
                yield kind
                for hint in typing.get_type_hints(kind).values():
                    yield from visit(hint)
        else:
            for inner in typing.get_args(kind):
                yield from visit(inner)

    return visit(kind)


def written(config: Any, data: Any, folder: Path = FOLDER) -> Iterator[str]:
    """`class` of every config in a recipe and `class.field` of every field that its text writes down."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        name = recipes.tag(type(config))
        yield name
        if isinstance(data, str) and data != name:
            data = recipes.read(recipes.find(data, folder))
        for key in data.keys() - {"type"} if isinstance(data, dict) else ():
            yield option(type(config), key)
            yield from written(getattr(config, key), data[key], folder)
    elif isinstance(config, tuple) and isinstance(data, list):
        for each, item in zip(config, data, strict=True):
            yield from written(each, item, folder)
    elif isinstance(config, dict) and isinstance(data, dict):
        for key in config:
            yield from written(config[key], data[key], folder)


def option(kind: type, field: str) -> str:
    """`class.field`; of a field that several kinds have from one class, that class: whoever sets it has used it."""
    owners = [each for each in kind.__mro__ if field in inspect.get_annotations(each)]
    return f"{recipes.tag(owners[-1])}.{field}"


def every_option(kind: Any) -> set[str]:
    """`class` and `class.field` of all that a recipe of this kind may say."""
    found = list(classes(kind))
    fields = {option(each, field.name) for each in found for field in dataclasses.fields(each)}
    return fields | {recipes.tag(each) for each in found}


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_recipe_loads(name: str) -> None:
    assert isinstance(load(name), kind_of(name))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch.compile's own use of torch.jit
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("tiny/")])
def test_a_tiny_recipe_builds(name: str, tmp_path: Path) -> None:
    """Whole, but on one folder of this machine's library and for a few steps."""
    recipe, few = settings.load(name), ["pretrain.steps=3", "pretrain.tokens=null", "pretrain.epochs=null"]
    lengths = {"steps": 2, "tokens": "null", "epochs": "null", "budget": "null"}
    trained = [stage for stage, config in recipe.stages.items() if hasattr(config, "train")]
    short = few + [f"stages.{stage}.train.{key}={value}" for stage in trained for key, value in lengths.items()]
    short += ["pretrain.sample_every=3"] if recipe.pretrain.sample_every else []
    if isinstance(recipe.corpus, Corpus) and isinstance(recipe.corpus.source, str):
        short += [f"corpus.source={Path(json.__file__).parent}", "corpus.validation=0.3"]
    elif recipe.corpus == ImageFiles() and importlib.util.find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed")
    assert Build(name, short, tmp_path / "run").everything().is_file()


def test_every_option_is_set_by_some_recipe() -> None:
    """DESIGN: an option that nobody sets is deleted, or stands in UNUSED with the reason why it stays."""
    used = {option for name in NAMES for option in written(load(name), recipes.read(recipes.find(name)))}
    every = (settings.Recipe, settings.Tuning, *KINDS.values())
    unused = set().union(*map(every_option, every)) - used
    assert sorted(unused - UNUSED.keys()) == [], "set it in a recipe, delete it, or say in UNUSED why it stays"
    assert sorted(UNUSED.keys() - unused) == [], "is used or gone: strike it off UNUSED"


def test_an_option_that_no_recipe_sets_is_seen() -> None:
    @dataclasses.dataclass(frozen=True)
    class Part:
        size: int = 1
        dead: int = 2

    @dataclasses.dataclass(frozen=True)
    class Whole:
        parts: tuple[Part, ...] = ()
        never: Part | None = None

    config = Whole((Part(), Part(size=3)))
    used = set(written(config, {"parts": ["part", {"type": "part", "size": 3}]}))
    assert every_option(Whole) - used == {"part.dead", "whole.never"}
