"""How config.json speaks of rotary positions: `rope_parameters` today, `rope_theta` and `rope_scaling` before 2026."""

from typing import Any

from hornbook.core.errors import UserError
from hornbook.exchange.family import Fields, expect, need
from hornbook.model.rope import LinearScaling, Llama3Scaling, Rope


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> the position of a recipe"""
    parameters = fields.get("rope_parameters") or fields.get("rope_scaling") or {}
    expect(parameters, partial_rotary_factor=1.0)
    expect(fields, partial_rotary_factor=1.0)
    base = parameters.get("rope_theta", fields.get("rope_theta", 10_000.0))
    return {"type": "rope", "base": base, "scaling": _scaling(parameters)}


def _scaling(parameters: Fields) -> dict[str, Any] | None:
    match parameters.get("rope_type", parameters.get("type", "default")):
        case "default":
            return None
        case "linear":
            return {"type": "linear_scaling", "factor": need(parameters, "factor")}
        case "llama3":
            return {
                "type": "llama3_scaling",
                "factor": need(parameters, "factor"),
                "low": need(parameters, "low_freq_factor"),
                "high": need(parameters, "high_freq_factor"),
                "original_length": need(parameters, "original_max_position_embeddings"),
            }
        case other:
            raise UserError(f"config.json: rope_type is {other!r}; known are default, linear, llama3")


def write(rope: Rope) -> dict[str, Any]:
    """The position of a recipe -> config.json"""
    parameters: dict[str, Any] = {"rope_theta": rope.base, "rope_type": "default"}
    match rope.scaling:
        case LinearScaling() as linear:
            parameters |= {"rope_type": "linear", "factor": linear.factor}
        case Llama3Scaling() as scaling:
            parameters |= {
                "rope_type": "llama3",
                "factor": scaling.factor,
                "low_freq_factor": scaling.low,
                "high_freq_factor": scaling.high,
                "original_max_position_embeddings": scaling.original_length,
            }
    return {"rope_parameters": parameters, "rope_theta": rope.base}
