"""What a file of a public family says, and the words in which it says it.

`read` turns the family's config.json into a recipe of ours; `write` goes back as well as it can. A family expresses a
design exactly if what it writes reads back as the same design, so `write` needs no list of what it cannot say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange.quirks import Quirks
from hornbook.exchange.weights import Table
from hornbook.model.decoder import Decoder
from hornbook.model.models import Model

Fields = Mapping[str, Any]  # a config.json


@dataclass(frozen=True)
class Family:
    """A kind of model that other programs know."""

    model_type: str
    architecture: str  # the class that a config.json without `architectures` means, and which we write
    read: Callable[[Fields], dict[str, Any]]  # config.json -> the plain data of a model; `type:` where not a decoder
    write: Callable[[Any], dict[str, Any] | None]  # None: not a design of this family; may say other `architectures`
    weights: Table | Callable[[Any], Table]  # a function of the design, where the layout depends on it
    shape: type[Any] = Decoder  # of the designs that `write` is asked about
    prefix: str = ""  # stands before every name but the head's; a file of the bare model lacks it
    bare: tuple[str, ...] = ()  # architectures that are bare models
    ignored: str = r"(?!)"  # a regular expression: tensors of some files that are no weights
    copies: Mapping[str, str] = field(default_factory=dict)  # tied tensors that may be written too -> what they equal
    quirks: Quirks = field(default_factory=Quirks)

    def config(self, fields: Fields) -> Model:
        """The design that a config.json of this family describes."""
        data = {"type": "decoder", **self.read(fields)}
        config: Model = recipe.parse(Model, data, f"config.json of {self.model_type}")
        return config

    def fields(self, config: Model) -> dict[str, Any] | None:
        """The config.json of a design, or None where this family cannot express it."""
        written = self.write(config) if isinstance(config, self.shape) else None
        if written is None:
            return None
        fields = {"architectures": [self.architecture], "model_type": self.model_type, **written}
        try:
            back = self.config(fields)
        except UserError:  # the family refuses what was said of the design
            return None
        return fields if essence(back) == essence(config) else None

    def table(self, config: Model) -> Table:
        """Where the weights of a design are."""
        return self.weights(config) if callable(self.weights) else self.weights


def need(fields: Fields, key: str) -> Any:
    """A field without which there is no model."""
    if fields.get(key) is None:
        raise UserError(
            f"config.json: {key} is missing; a {fields.get('model_type')} model has it, copy the file again"
        )
    return fields[key]


def expect(fields: Fields, **known: Any) -> None:
    """Refuse a config that asks for what this family's file does not build; an absent field is the known value."""
    for key, value in known.items():
        if fields.get(key, value) != value:
            raise UserError(f"config.json: {key} is {fields[key]!r}; of this kind of model only {value!r} is supported")


def choose(fields: Fields, key: str, known: Mapping[str, str], default: str) -> str:
    """Our name for one of their names."""
    value = fields.get(key) or default
    if value not in known:
        raise UserError(f"config.json: {key} is {value!r}; known are {', '.join(known)}")
    return known[value]


def essence(config: Model) -> Any:
    """What decides the logits: neither dropout nor the first weights; what may go without saying is said."""

    def strip(data: Any) -> Any:
        if isinstance(data, list):
            return [strip(item) for item in data]
        if not isinstance(data, dict):
            return data
        kept = {key: strip(value) for key, value in data.items() if key not in ("dropout", "init")}
        if data.get("type") in ("attention", "cross_attention"):
            if "kv_heads" in data:
                kept["kv_heads"] = data["kv_heads"] or data["heads"]
            kept["head_dim"] = data["head_dim"] or config.dim // data["heads"]
        if data.get("type") == "stack":
            kept |= {"layer": _plan(data["layers"], kept["layer"], kept["pattern"]), "pattern": None}
        return kept

    return strip(recipe.dump(config))


def _plan(layers: int, layer: Any, pattern: str | None) -> list[Any]:
    """Each layer by itself, whatever the recipe calls it."""
    return [layer[pattern[i % len(pattern)]] if pattern else layer for i in range(layers)]
