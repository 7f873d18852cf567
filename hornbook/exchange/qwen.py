"""Qwen2 and Qwen3 (Yang et al. 2024, 2025): Llama with biases on query, key and value; then a QK-norm instead."""

from typing import Any

from hornbook.exchange import llama
from hornbook.exchange.family import Family, Fields, expect
from hornbook.exchange.weights import Weight
from hornbook.model.decoder import Decoder


def read_qwen2(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    expect(fields, use_sliding_window=False)
    data = llama.read({"max_position_embeddings": 32_768, **fields})
    data["stack"]["layer"][0] |= {"bias": True, "output_bias": False}
    return data


def write_qwen2(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    fields = llama.write(config)
    return fields and _without(fields, "attention_bias", "mlp_bias")


def read_qwen3(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    expect(fields, use_sliding_window=False)
    data = llama.read({"max_position_embeddings": 32_768, "head_dim": 128, **fields})
    data["stack"]["layer"][0]["qk_norm"] = data["stack"]["norm"]
    return data


def write_qwen3(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    fields = llama.write(config)
    return fields and _without(fields, "mlp_bias")


def _without(fields: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in keys}


QK_NORM = (
    Weight("model.layers.{layer}.self_attn.q_norm.weight", (f"{llama.LAYER}.0.op.query_norm.weight",)),
    Weight("model.layers.{layer}.self_attn.k_norm.weight", (f"{llama.LAYER}.0.op.key_norm.weight",)),
)

SAME: dict[str, Any] = {"prefix": "model.", "copies": llama.COPIES}
QWEN2 = Family("qwen2", "Qwen2ForCausalLM", read_qwen2, write_qwen2, llama.WEIGHTS, bare=("Qwen2Model",), **SAME)
QWEN3 = Family(
    "qwen3", "Qwen3ForCausalLM", read_qwen3, write_qwen3, (*llama.WEIGHTS, *QK_NORM), bare=("Qwen3Model",), **SAME
)
