"""YAML into frozen dataclasses: strict, typed, with dotted overrides and errors that say where, what and the fix.

A field typed `A | B` picks its member by the `type:` key, so the annotation is the registry; `norm: rms_norm` is short
for `norm: {type: rms_norm}`; a string where a mapping belongs is the path (or built-in name) of another YAML file.
There is no interpolation, no environment variable and no second mechanism.
"""

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

import yaml

from hornbook.core.errors import RecipeError
from hornbook.core.source import Dumper, Origin, closest, is_file, value_of
from hornbook.core.source import built_in_names as built_in_names
from hornbook.core.source import find as find
from hornbook.core.source import read as read

T = TypeVar("T")
LISTS = (list, tuple, Sequence)
MAPPINGS = (dict, Mapping)
SHAPES: dict[type, tuple[Any, ...]] = {list: LISTS, dict: MAPPINGS}


def load(kind: type[T], source: str | Path, overrides: Iterable[str] = ()) -> T:
    """Read a recipe (a path or a built-in name such as `demo`) as a `kind`, after `a.b=value` overrides."""
    path = find(source)
    config: T = parse(kind, override(read(path), overrides, folder=path.parent), folder=path.parent)
    return config


def override(data: Any, overrides: Iterable[str], *, folder: Path | None = None) -> Any:
    """Apply `stack.layers=6` to plain data; a number (`layer.0.heads`, `layer[0].heads`) is a place in a list."""
    data = {} if data is None else data
    for item in overrides:
        path, equals, text = item.partition("=")
        path = path.replace("[", ".").replace("]", "")
        if not equals or not path:
            raise RecipeError(f"{item}: an override is written key=value, for instance pretrain.steps=200")
        *parents, leaf = path.split(".")
        node = _fields_of(data, "recipe", folder)
        for depth, key in enumerate(parents):
            place = _place(node, key, path)
            known = node[place] if isinstance(node, list) else node.get(place)
            node[place] = _fields_of(known, ".".join(parents[: depth + 1]), folder)
            node = node[place]
        node[_place(node, leaf, path)] = value_of(text)
    return data


def _fields_of(node: Any, path: str, folder: Path | None) -> Any:
    """The mapping or list in which an override goes on; `rms_norm` or `model.yaml` becomes what it stands for."""
    if node is None:
        return {}
    if isinstance(node, str):
        return read(find(node, folder)) if is_file(node) else {"type": node}
    if not isinstance(node, dict | list):
        raise RecipeError(f"{path}: is the value {node!r} and has no fields to override")
    return node


def _place(node: Any, key: str, path: str) -> Any:
    if isinstance(node, dict):
        return key
    if not key.isdigit() or int(key) >= len(node):
        raise RecipeError(f"{path}: a list of {len(node)} wants a number from 0 to {len(node) - 1}, not {key!r}")
    return int(key)


def parse(kind: Any, value: Any, where: str = "", *, folder: Path | None = None) -> Any:
    """Check plain data against a type and build it; `where` is the path that an error names."""
    return _parse(kind, value, where, Origin(folder))


def _parse(kind: Any, value: Any, where: str, origin: Origin) -> Any:
    generic, args = typing.get_origin(kind), typing.get_args(kind)
    if generic is typing.Annotated:
        return _parse(args[0], value, where, origin)
    if generic in (Union, types.UnionType):
        return _parse_union(args, value, where, origin)
    if generic is Literal:
        return _parse_literal(args, value, where)
    if generic in LISTS:
        return _parse_list(kind, value, where, origin)
    if generic in MAPPINGS:
        if not isinstance(value, dict):
            raise RecipeError(f"{where}: wants a mapping, got {value!r}")
        return {str(key): _parse(args[1], item, f"{where}.{key}", origin) for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return _parse_dataclass(typing.cast(type, kind), value, where, origin)
    return _parse_scalar(kind, value, where)


def _parse_list(kind: Any, value: Any, where: str, origin: Origin) -> Any:
    generic, args = typing.get_origin(kind), typing.get_args(kind)
    if not isinstance(value, list):
        raise RecipeError(f"{where}: wants a list, got {value!r}")
    if generic is tuple and args[-1] is not Ellipsis and len(value) != len(args):
        raise RecipeError(f"{where}: wants {len(args)} values, got {len(value)}")
    kinds = args if generic is tuple and args[-1] is not Ellipsis else [args[0]] * len(value)
    items = [_parse(kinds[i], item, f"{where}[{i}]", origin) for i, item in enumerate(value)]
    return items if generic is list else tuple(items)


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
        raise RecipeError(f"{where}: {value!r} is not one of {wanted}{closest(value, choices)}")
    return value


def _parse_union(members: tuple[Any, ...], value: Any, where: str, origin: Origin) -> Any:
    if value is None and type(None) in members:
        return None
    members = tuple(member for member in members if member is not type(None))
    variants = {tag(member): member for member in members if dataclasses.is_dataclass(member)}
    if len(members) == 1 and not variants:  # `int | None`
        return _parse(members[0], value, where, origin)
    if isinstance(value, str) and value in variants:
        return _parse(variants[value], {}, where, origin)
    if isinstance(value, str) and variants and is_file(value):
        value, origin = origin.open(value)
    if variants and isinstance(value, dict):
        return _parse_variant(variants, value, where, origin)
    for member in members:
        if dataclasses.is_dataclass(member):
            continue
        try:
            return _parse(member, value, where, origin)
        except RecipeError:
            if typing.get_origin(member) in SHAPES.get(type(value), ()):
                raise  # a list or mapping inside which something is wrong: say what
    names = [*variants, *(_name(member) for member in members if not dataclasses.is_dataclass(member))]
    raise RecipeError(f"{where}: {value!r} is not one of {', '.join(names)}{closest(value, variants)}")


def _parse_variant(variants: dict[str, Any], value: dict[str, Any], where: str, origin: Origin) -> Any:
    fields = {key: item for key, item in value.items() if key != "type"}
    usual = [kind for kind in variants.values() if len(variants) == 1 or getattr(kind, "USUAL", False)]
    if "type" not in value and usual:  # a model is a decoder and a tokenizer BPE, unless the recipe says otherwise
        return _parse(usual[0], fields, where, origin)
    name = value.get("type")
    if name not in variants:
        asked = f"type {name!r} is not" if name else "needs a `type:`,"
        raise RecipeError(f"{where}: {asked} one of {', '.join(variants)}{closest(name, variants)}")
    return _parse(variants[name], fields, where, origin)


def _parse_dataclass(kind: type, value: Any, where: str, origin: Origin) -> Any:
    if isinstance(value, str) and is_file(value):
        value, origin = origin.open(value)
    if not isinstance(value, dict):
        raise RecipeError(f"{where or kind.__name__}: wants the fields of {tag(kind)}, got {value!r}")
    if value.get("type") == tag(kind):
        value = {key: item for key, item in value.items() if key != "type"}
    hints, fields = _hints(kind), {f.name: f for f in dataclasses.fields(kind) if f.init}
    for key in value:
        if key not in fields:
            raise RecipeError(f"{_join(where, key)}: {tag(kind)} has no such field{closest(key, fields)}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in value:
            raise RecipeError(f"{_join(where, name)}: {tag(kind)} needs this field")
    values = {key: _parse(hints[key], item, _join(where, key), origin) for key, item in value.items()}
    try:
        return kind(**values)
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
    return yaml.dump(dump(config), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


def leaves(config: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every (dotted path, value) of a config, in order."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        for field in dataclasses.fields(config):
            yield from leaves(getattr(config, field.name), _join(where, field.name))
    elif isinstance(config, list | tuple) and any(dataclasses.is_dataclass(item) for item in config):
        for i, item in enumerate(config):
            yield from leaves(item, f"{where}[{i}]")
    elif isinstance(config, Mapping) and config:
        for key, item in config.items():
            yield from leaves(item, _join(where, key))
    else:
        yield where, config


def tag(kind: Any) -> str:
    """The name a recipe uses for a class.

    >>> tag(type("GatedMLP", (), {})), tag(type("RMSNorm", (), {})), tag(type("AdamW", (), {}))
    ('gated_mlp', 'rms_norm', 'adamw')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z](?!$))|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.__name__).lower()


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else str(key)


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))
