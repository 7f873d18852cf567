"""How config.json speaks of rotary positions: `rope_parameters` today, `rope_theta` and `rope_scaling` before 2026."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange.family import Fields, expect, need
from hornbook.model.rope import Rope
from hornbook.model.scaling import DynamicScaling, LinearScaling, Llama3Scaling, LongScaling, YarnScaling

ORIGINAL, LENGTH = "original_max_position_embeddings", "max_position_embeddings"


@dataclass(frozen=True)
class Kind:
    """A scaling: its name in config.json, our class, and our fields by the names of theirs."""

    name: str
    scaling: type[Any]
    keys: Mapping[str, str]  # theirs -> ours
    optional: tuple[str, ...] = ()  # theirs that may be missing


KINDS = (
    Kind("linear", LinearScaling, {"factor": "factor"}),
    Kind("dynamic", DynamicScaling, {"factor": "factor", LENGTH: "original_length"}),
    Kind(
        "yarn",
        YarnScaling,
        {
            "factor": "factor",
            ORIGINAL: "original_length",
            "beta_fast": "fast",
            "beta_slow": "slow",
            "attention_factor": "attention_factor",
        },
        ("beta_fast", "beta_slow", "attention_factor"),
    ),
    Kind(
        "llama3",
        Llama3Scaling,
        {"factor": "factor", "low_freq_factor": "low", "high_freq_factor": "high", ORIGINAL: "original_length"},
    ),
    Kind(
        "longrope",
        LongScaling,
        {
            "short_factor": "short",
            "long_factor": "long",
            "factor": "factor",
            ORIGINAL: "original_length",
            "attention_factor": "attention_factor",
        },
        ("attention_factor",),
    ),
)


def read(fields: Fields, *, base: float = 10_000.0) -> dict[str, Any]:
    """config.json -> the position of a recipe; `base` is the family's own where the file says none."""
    parameters = fields.get("rope_parameters") or fields.get("rope_scaling") or {}
    share = parameters.get("partial_rotary_factor", fields.get("partial_rotary_factor"))
    return {
        "type": "rope",
        "base": parameters.get("rope_theta", fields.get("rope_theta", base)),
        "share": 1.0 if share is None else share,
        "scaling": _scaling(parameters, fields),
    }


def _scaling(parameters: Fields, fields: Fields) -> dict[str, Any] | None:
    asked = parameters.get("rope_type", parameters.get("type", "default"))
    if asked == "default":
        return None
    kinds = [kind for kind in KINDS if kind.name == asked]
    if not kinds:
        raise UserError(f"config.json: rope_type is {asked!r}; known are default, {', '.join(k.name for k in KINDS)}")
    expect(parameters, truncate=True)
    kind, known = kinds[0], _known(parameters, fields)
    given = {theirs: ours for theirs, ours in kind.keys.items() if theirs not in kind.optional or theirs in known}
    return {"type": recipe.tag(kind.scaling), **{ours: need(known, theirs) for theirs, ours in given.items()}}


def _known(parameters: Fields, fields: Fields) -> dict[str, Any]:
    """What is said of a scaling, and what follows from it."""
    length = fields.get(LENGTH)
    known = {ORIGINAL: length, **_filled(parameters), LENGTH: length}
    if ORIGINAL in fields:  # beside the rope, as Phi-3 has it
        known[ORIGINAL] = fields[ORIGINAL]
    if "factor" not in known and length and known[ORIGINAL]:
        known["factor"] = length / known[ORIGINAL]
    if {"mscale", "mscale_all_dim"} <= known.keys() and "attention_factor" not in known:  # DeepSeek's way to say it
        loud = [0.1 * known[key] * math.log(max(known["factor"], 1)) + 1 for key in ("mscale", "mscale_all_dim")]
        known["attention_factor"] = loud[0] / loud[1]
    return known


def _filled(fields: Fields) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def write(rope: Rope) -> dict[str, Any]:
    """The position of a recipe -> config.json"""
    parameters: dict[str, Any] = {"rope_theta": rope.base, "rope_type": "default"}
    for kind in KINDS:
        if isinstance(rope.scaling, kind.scaling):
            plain = recipe.dump(rope.scaling)
            said = {theirs: plain[ours] for theirs, ours in kind.keys.items() if theirs != LENGTH}  # said at the top
            parameters |= {"rope_type": kind.name, **_filled(said)}
    if rope.share != 1:
        parameters["partial_rotary_factor"] = rope.share
    return {"rope_parameters": parameters, "rope_theta": rope.base}
