"""Qwen2 and Qwen3 (Yang et al. 2024, 2025): Llama with biases on query, key and value; then a QK-norm instead.

Upper layers may look at the nearest tokens only (`use_sliding_window`).
"""

from typing import Any

from hornbook.exchange import layer_types, llama
from hornbook.exchange.family import Family, Fields, need
from hornbook.model.decoder import Decoder

KNOWN = {"max_position_embeddings": 32_768, "num_key_value_heads": 32}  # where a file says nothing


def read_qwen2(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    data = llama.read(KNOWN | {**fields})
    data["stack"]["layer"][0] |= {"bias": True, "output_bias": False}
    return _windowed(data, fields)


def read_qwen3(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    data = llama.read(KNOWN | {"head_dim": 128, **fields})
    data["stack"]["layer"][0]["qk_norm"] = data["stack"]["norm"]
    return _windowed(data, fields)


def _windowed(data: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """With a window in some layers: those that `layer_types` says, or all from `max_window_layers` on."""
    layers, window = need(fields, "num_hidden_layers"), fields.get("sliding_window", 4096)
    if not fields.get("use_sliding_window") or window is None:
        return data
    first = fields.get("max_window_layers", 28)
    types = fields.get("layer_types") or [
        layer_types.SLIDING if i >= first else layer_types.FULL for i in range(layers)
    ]
    full: Any = data["stack"]["layer"]
    data["stack"] |= layer_types.read(types, full, [{**full[0], "window": window}, full[1]])
    return data


def write_qwen2(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    return _with_windows(config, llama.without(llama.write(config), "attention_bias", "mlp_bias"))


def write_qwen3(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    return _with_windows(config, llama.without(llama.write(config), "mlp_bias"))


def _with_windows(config: Decoder, fields: dict[str, Any] | None) -> dict[str, Any] | None:
    window = layer_types.window(config.stack)
    if fields is None or window is None:
        return fields
    return {
        **fields,
        "use_sliding_window": True,
        "sliding_window": window,
        "layer_types": layer_types.write(config.stack),
    }


QWEN2 = Family("qwen2", "Qwen2ForCausalLM", read_qwen2, write_qwen2, llama.WEIGHTS, bare=("Qwen2Model",), **llama.ALIKE)
QWEN3 = Family("qwen3", "Qwen3ForCausalLM", read_qwen3, write_qwen3, llama.WEIGHTS, bare=("Qwen3Model",), **llama.ALIKE)
