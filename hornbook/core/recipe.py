"""YAML into frozen dataclasses: strict, typed, with dotted overrides and errors that say where, what and the fix.

A field typed `A | B` picks its member by the `type:` key, so the annotation is the registry; `norm: rms_norm` is short
for `norm: {type: rms_norm}`; a string where a mapping belongs is the path (or built-in name) of another YAML file.
There is no interpolation, no environment variable and no second mechanism.
"""

import dataclasses
import difflib
import functools
import importlib.resources
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

from hornbook.core.errors import RecipeError

T = TypeVar("T")


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads `3e-4` as a string and `no` as False; people who write recipes mean a number and a word."""


_Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":float", ":bool", ":timestamp"))]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$", re.IGNORECASE), list("tTfF"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d[\d_]*\.[\d_]*(?:[eE][-+]?\d+)?|\d[\d_]*[eE][-+]?\d+|\.\d[\d_]*(?:[eE][-+]?\d+)?)$"),
    list("-+0123456789."),
)


def load(kind: type[T], source: str | Path, overrides: Iterable[str] = ()) -> T:
    """Read a recipe (a path or a built-in name such as `demo`) as a `kind`, after `a.b=value` overrides."""
    path = find(source)
    return parse(kind, override(read(path), overrides), folder=path.parent)


def find(source: str | Path) -> Path:
    """The file a recipe's name stands for: a path, or `tiny/pretrain` for a recipe that ships with hornbook."""
    path = Path(source)
    if path.is_file():
        return path
    built_in = Path(str(importlib.resources.files("hornbook"))) / "recipes" / f"{source}.yaml"
    if not Path(source).is_absolute() and built_in.is_file():
        return built_in
    raise RecipeError(f"{source}: no such recipe file, nor a built-in recipe{_closest(str(source), built_in_names())}")


def built_in_names() -> list[str]:
    """The names of the recipes that ship with hornbook: `demo`, `tiny/pretrain`, `models/gpt2`, ..."""
    root = Path(str(importlib.resources.files("hornbook"))) / "recipes"
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yaml"))


def read(path: Path) -> Any:
    """The plain data of a YAML file."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # a SafeLoader: builds plain data only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise RecipeError(f"{place}: not valid YAML ({getattr(error, 'problem', error)}); mend this line") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{path}: not UTF-8 text; save the recipe as UTF-8") from None


def override(data: Any, overrides: Iterable[str]) -> Any:
    """Apply `stack.layers=6` to plain data; a number in the path is a place in a list."""
    for item in overrides:
        path, equals, text = item.partition("=")
        if not equals or not path:
            raise RecipeError(f"{item}: an override is written key=value, for instance pretrain.steps=200")
        *parents, leaf = path.split(".")
        node = data
        for depth, key in enumerate(parents):
            node = _step_into(node, key, ".".join(parents[: depth + 1]))
        if isinstance(node, list):
            node[_index(node, leaf, path)] = yaml.load(text, _Loader)
        else:
            node[leaf] = yaml.load(text, _Loader)
    return data


def _step_into(node: Any, key: str, path: str) -> Any:
    if isinstance(node, list):
        return node[_index(node, key, path)]
    child = node.get(key)
    if child is None:
        child = node[key] = {}
    elif isinstance(child, str):  # `norm: rms_norm`, or the path of a file, becomes the mapping it stands for
        child = node[key] = read(find(child)) if _is_file(child) else {"type": child}
    if not isinstance(child, dict | list):
        raise RecipeError(f"{path}: is the value {child!r} and has no fields to override")
    return child


def _index(node: list[Any], key: str, path: str) -> int:
    if not key.isdigit() or int(key) >= len(node):
        raise RecipeError(f"{path}: a list of {len(node)} wants a number from 0 to {len(node) - 1}, not {key!r}")
    return int(key)


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or name in built_in_names()


def parse(kind: Any, value: Any, where: str = "", *, folder: Path | None = None) -> Any:
    """Check plain data against a type and build it; `where` is the path that an error names."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return parse(args[0], value, where, folder=folder)
    if origin in (Union, types.UnionType):
        return _parse_union(args, value, where, folder)
    if origin is Literal:
        return _parse_literal(args, value, where)
    if origin in (list, tuple, Sequence):
        if not isinstance(value, list):
            raise RecipeError(f"{where}: wants a list, got {value!r}")
        return tuple(parse(args[0], item, f"{where}[{i}]", folder=folder) for i, item in enumerate(value))
    if origin in (dict, Mapping):
        if not isinstance(value, dict):
            raise RecipeError(f"{where}: wants a mapping, got {value!r}")
        return {str(key): parse(args[1], item, f"{where}.{key}", folder=folder) for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return _parse_dataclass(typing.cast(type, kind), value, where, folder)
    return _parse_scalar(kind, value, where)


def _parse_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is float and value.is_integer():
        return int(value)  # `tokens: 1e6`
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is str and type(value) in (int, float):
        return str(value)  # `source: 2024`
    if type(value) is not kind:
        name = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
        raise RecipeError(f"{where}: wants {name.get(kind.__name__, kind.__name__)}, got {value!r}")
    return value


def _parse_literal(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    if value not in choices or isinstance(value, bool) != any(isinstance(c, bool) for c in choices if c == value):
        wanted = ", ".join(str(choice) for choice in choices)
        raise RecipeError(f"{where}: {value!r} is not one of {wanted}{_closest(value, choices)}")
    return value


def _parse_union(members: tuple[Any, ...], value: Any, where: str, folder: Path | None) -> Any:
    if value is None and type(None) in members:
        return None
    variants = {tag(member): member for member in members if dataclasses.is_dataclass(member)}
    if isinstance(value, str) and value in variants:
        return parse(variants[value], {}, where, folder=folder)
    if isinstance(value, str) and variants and _is_file(value):
        value = read(_beside(value, folder))
    if variants and isinstance(value, dict):
        return _parse_variant(variants, value, where, folder)
    for member in members:
        if member is type(None) or dataclasses.is_dataclass(member):
            continue
        try:
            return parse(member, value, where, folder=folder)
        except RecipeError:
            if typing.get_origin(member) is type(value):  # a list inside which something is wrong: say what
                raise
    names = [*variants, *(_name(m) for m in members if m is not type(None) and not dataclasses.is_dataclass(m))]
    raise RecipeError(f"{where}: {value!r} is not one of {', '.join(names)}{_closest(value, variants)}")


def _parse_variant(variants: dict[str, Any], value: dict[str, Any], where: str, folder: Path | None) -> Any:
    fields = {key: item for key, item in value.items() if key != "type"}
    if "type" not in value and len(variants) == 1:
        return parse(next(iter(variants.values())), fields, where, folder=folder)
    name = value.get("type")
    if name not in variants:
        asked = f"type {name!r} is not" if name else "needs a `type:`,"
        raise RecipeError(f"{where}: {asked} one of {', '.join(variants)}{_closest(name, variants)}")
    return parse(variants[name], fields, where, folder=folder)


def _parse_dataclass(kind: type, value: Any, where: str, folder: Path | None) -> Any:
    if isinstance(value, str) and _is_file(value):
        value = read(_beside(value, folder))
    if not isinstance(value, dict):
        raise RecipeError(f"{where or kind.__name__}: wants the fields of {tag(kind)}, got {value!r}")
    if value.get("type") == tag(kind):
        value = {key: item for key, item in value.items() if key != "type"}
    hints, fields = _hints(kind), {f.name: f for f in dataclasses.fields(kind) if f.init}
    for key in value:
        if key not in fields:
            raise RecipeError(f"{_join(where, key)}: {tag(kind)} has no such field{_closest(key, fields)}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in value:
            raise RecipeError(f"{_join(where, name)}: {tag(kind)} needs this field")
    values = {key: parse(hints[key], item, _join(where, key), folder=folder) for key, item in value.items()}
    try:
        return kind(**values)
    except RecipeError:
        raise
    except ValueError as error:  # a config's own __post_init__ found values that do not fit together
        raise RecipeError(f"{where}: {error}" if where else str(error)) from None


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def dump(config: Any) -> Any:
    """Plain data that `parse` reads back: every field written out, every member of a union with its `type:`."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        fields = {f.name: dump(getattr(config, f.name)) for f in dataclasses.fields(config) if f.init}
        return {"type": tag(type(config)), **fields}
    if isinstance(config, list | tuple):
        return [dump(item) for item in config]
    if isinstance(config, Mapping):
        return {key: dump(item) for key, item in config.items()}
    return str(config) if isinstance(config, Path) else config


def to_yaml(config: Any) -> str:
    """The resolved recipe as YAML text."""
    return yaml.safe_dump(dump(config), sort_keys=False, allow_unicode=True, width=120)


def leaves(config: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every (dotted path, value) of a config, in order."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        for field in dataclasses.fields(config):
            yield from leaves(getattr(config, field.name), _join(where, field.name))
    elif isinstance(config, list | tuple) and any(dataclasses.is_dataclass(item) for item in config):
        for i, item in enumerate(config):
            yield from leaves(item, f"{where}[{i}]")
    else:
        yield where, config


def tag(kind: Any) -> str:
    """The name a recipe uses for a class.

    >>> tag(type("GatedMLP", (), {})), tag(type("RMSNorm", (), {}))
    ('gated_mlp', 'rms_norm')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.__name__).lower()


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else str(key)


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))


def _beside(name: str, folder: Path | None) -> Path:
    if folder is not None and (folder / name).is_file():
        return folder / name
    return find(name)


def _closest(word: Any, choices: Iterable[Any]) -> str:
    match = difflib.get_close_matches(str(word), [str(choice) for choice in choices], n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""
