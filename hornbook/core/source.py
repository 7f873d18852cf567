"""Where a recipe's YAML stands and how it is read: paths, built-in names, and YAML 1.2's idea of numbers and words.

PyYAML speaks YAML 1.1, where `3e-4` is text, `no` is False, `010` is 8 and `1:30` is 90; people who write recipes mean
a number and words. A key that is written twice is an error here; YAML would let the last one win.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hornbook.core.errors import RecipeError

BOOL = re.compile(r"^(?:true|false)$", re.IGNORECASE)
INT = re.compile(r"^[-+]?(?:0|[1-9][\d_]*)$")
FLOAT = re.compile(r"^[-+]?(?:\d[\d_]*\.[\d_]*(?:[eE][-+]?\d+)?|\d[\d_]*[eE][-+]?\d+|\.\d[\d_]*(?:[eE][-+]?\d+)?)$")


class Loader(yaml.SafeLoader):
    """Plain data only, with the words and numbers of YAML 1.2."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping in which every key stands once."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class Dumper(yaml.SafeDumper):
    """Quotes every text that `Loader`, or any other YAML reader, would take for something else."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Line ends that only Unicode knows must be escaped: YAML would fold them into spaces."""
        return self.represent_scalar(
            "tag:yaml.org,2002:str", text, style='"' if set(text) & set("\x85\u2028\u2029") else None
        )


Dumper.add_representer(str, Dumper.represent_text)
_OLD = (":float", ":int", ":bool", ":timestamp")
Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(_OLD)]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Dumper.yaml_implicit_resolvers = {key: list(old) for key, old in yaml.SafeDumper.yaml_implicit_resolvers.items()}
for _reader in (Loader, Dumper):
    _reader.add_implicit_resolver("tag:yaml.org,2002:bool", BOOL, list("tTfF"))
    _reader.add_implicit_resolver("tag:yaml.org,2002:int", INT, list("-+0123456789"))
    _reader.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+0123456789."))


def read(path: Path) -> Any:
    """The plain data of a YAML file."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)  # a SafeLoader: builds plain data only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise RecipeError(f"{place}: not valid YAML ({getattr(error, 'problem', error)}); mend this line") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{path}: not UTF-8 text; save the recipe as UTF-8") from None


def value_of(text: str) -> Any:
    """What the right side of `key=value` stands for; what is no YAML (`*.txt`) is plain text."""
    try:
        return yaml.load(text, Loader)  # a SafeLoader: builds plain data only
    except yaml.YAMLError:
        return text


def find(source: str | Path, folder: Path | None = None) -> Path:
    """The file a recipe's name stands for: a path (beside `folder` first) or a built-in such as `demo`."""
    if folder is not None and (folder / source).is_file():
        return folder / source
    path = Path(source)
    if path.is_file():
        return path
    built_in = _recipes() / f"{source}.yaml"
    if not path.is_absolute() and built_in.is_file():
        return built_in
    raise RecipeError(f"{source}: no such recipe file, nor a built-in recipe{closest(str(source), built_in_names())}")


@dataclass(frozen=True)
class Origin:
    """Where plain data comes from: the folder in which it looks for files, and the files that led to it."""

    folder: Path | None
    files: tuple[Path, ...] = ()

    def open(self, name: str) -> tuple[Any, "Origin"]:
        """The data of a file that is named here, and its own origin: files that it names stand beside it."""
        path = find(name, self.folder)
        if path.resolve() in self.files:
            raise RecipeError(f"{path}: this file includes itself; write out what it should say there")
        return read(path), Origin(path.parent, (*self.files, path.resolve()))


def is_file(name: str) -> bool:
    """Whether a string where a mapping belongs names a YAML file, there or not."""
    return name.endswith((".yaml", ".yml")) or name in built_in_names()


def built_in_names() -> list[str]:
    """The names of the recipes that ship with hornbook: `demo`, `tiny/pretrain`, `models/gpt2`, ..."""
    return sorted(path.relative_to(_recipes()).with_suffix("").as_posix() for path in _recipes().rglob("*.yaml"))


def _recipes() -> Path:
    return Path(__file__).parents[1] / "recipes"


def closest(word: Any, choices: Iterable[Any]) -> str:
    """What the user may have meant, as the end of a sentence, or nothing.

    >>> closest("heds", ["heads", "kv_heads"]), closest("x", ["heads"])
    (" (did you mean 'heads'?)", '')
    """
    match = difflib.get_close_matches(str(word), [str(choice) for choice in choices], n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""
