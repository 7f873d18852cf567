"""Mistral 7B (Jiang et al. 2023): Llama, where a token sees the nearest few thousand tokens only (section 2)."""

from typing import Any

from hornbook.exchange import llama
from hornbook.exchange.family import Family, Fields
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe; without `sliding_window` it is 4,096, with null there is none (from version 0.2 on)"""
    data = llama.read({"max_position_embeddings": 131_072, "num_key_value_heads": 8, **fields, "attention_bias": False})
    data["stack"]["layer"][0]["window"] = fields.get("sliding_window", 4096)
    return data


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    fields = llama.without(llama.write(config), "attention_bias", "mlp_bias")
    attention = config.stack.plan()[0][0]
    assert fields is None or isinstance(attention, Attention)
    return fields and {**fields, "sliding_window": getattr(attention, "window", None)}


FAMILY = Family("mistral", "MistralForCausalLM", read, write, llama.WEIGHTS, bare=("MistralModel",), **llama.ALIKE)
