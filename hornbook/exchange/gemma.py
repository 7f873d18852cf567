"""Gemma 2 and 3 (Gemma team 2024, 2025): norms on both sides of a sublayer, and layers that look at the nearest tokens.

Norms have a gain of 1 + weight, the embedding is scaled by sqrt(dim), the MLP is a GEGLU. Gemma 2 caps scores and
logits softly; Gemma 3 has a QK-norm instead, one global layer after five local ones, and a rope for each of the two
kinds (its section 2). Images (`gemma3`) are not read, only its text model.
"""

from typing import Any

from hornbook.exchange import layer_types, llama, rope
from hornbook.exchange.family import Family, Fields, expect
from hornbook.exchange.weights import Weight
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.head import Language
from hornbook.model.norm import RMSNorm
from hornbook.model.rope import Rope

KNOWN = {  # where a file says nothing
    "head_dim": 256,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "sliding_window": 4096,
    "tie_word_embeddings": True,
    "query_pre_attn_scalar": 256,
}
GEMMA2 = KNOWN | {"max_position_embeddings": 8192, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}
GEMMA3 = KNOWN | {"max_position_embeddings": 131_072}


def read_gemma2(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    return _read(GEMMA2 | {**fields}, period=2)


def read_gemma3(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    said = GEMMA3 | {**fields}
    full, sliding = _ropes(said)
    data = _read(said | {"rope_parameters": full}, period=said.get("sliding_window_pattern", 6))
    layer = data["stack"]["layer"]
    for attention in [each[0] for each in (layer.values() if isinstance(layer, dict) else [layer])]:
        attention["qk_norm"] = data["stack"]["norm"]
        if "window" in attention:
            attention["position"] = rope.read(said | {"rope_parameters": sliding})
    return data


def _ropes(fields: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of global and local layers; before 2026 `rope_theta` and `rope_local_base_freq`."""
    ropes = fields.get("rope_parameters") or {}
    far = {"rope_theta": fields.get("rope_theta", 1e6), **(fields.get("rope_scaling") or {})}
    near = {"rope_theta": fields.get("rope_local_base_freq", 1e4)}
    return far | (ropes.get(layer_types.FULL) or {}), near | (ropes.get(layer_types.SLIDING) or {})


def _read(fields: Fields, *, period: int) -> dict[str, Any]:
    looks_both_ways = fields.get("use_bidirectional_attention") or False  # Gemma 2's files say null
    expect({"use_bidirectional_attention": looks_both_ways}, use_bidirectional_attention=False)
    data = llama.read({**fields, "hidden_act": fields.get("hidden_activation") or "gelu_pytorch_tanh"})
    stack, scalar = data["stack"], fields["query_pre_attn_scalar"]
    stack["layer"][0] |= {
        "scale": None if scalar == fields["head_dim"] else scalar**-0.5,
        "soft_cap": fields.get("attn_logit_softcapping"),
    }
    data["head"]["soft_cap"] = fields.get("final_logit_softcapping")
    data["embed"]["scaled"] = True
    stack["norm"]["zero_centered"] = True
    stack["placement"] = "sandwich"
    full, window = stack["layer"], fields["sliding_window"]
    types = fields.get("layer_types") or layer_types.every(fields, period)
    stack |= layer_types.read(types, [dict(op) for op in full], [{**full[0], "window": window}, full[1]])
    return data


def write_gemma2(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    match config.stack.plan()[0]:
        case (Attention(qk_norm=None) as attention, _):
            return _write(config, attention)
        case _:
            return None


def write_gemma3(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    attentions = [op for layer in config.stack.plan() for op in layer if isinstance(op, Attention)]
    match config.stack.plan()[0], config.stack.position:
        case (Attention(qk_norm=RMSNorm()) as attention, _), Rope() as far:
            near = next((op.position for op in attentions if isinstance(op.position, Rope)), Rope())
            ropes = {layer_types.FULL: rope.write(far), layer_types.SLIDING: rope.write(near)}
            parameters = {kind: written["rope_parameters"] for kind, written in ropes.items()}
            fields = llama.without(_write(config, attention), "rope_theta")
            return fields and {**fields, "rope_parameters": parameters}
        case _:
            return None


def _write(config: Decoder, attention: Attention) -> dict[str, Any] | None:
    fields = llama.write(config)
    if fields is None:
        return None
    scalar = attention.width(config.dim) if attention.scale is None else round(attention.scale**-2)
    return {
        **{key: value for key, value in fields.items() if key not in ("hidden_act", "mlp_bias")},
        "hidden_activation": fields["hidden_act"],
        "query_pre_attn_scalar": scalar,
        "attn_logit_softcapping": attention.soft_cap,
        "final_logit_softcapping": config.head.soft_cap if isinstance(config.head, Language) else None,
        "sliding_window": layer_types.window(config.stack) or KNOWN["sliding_window"],
        "layer_types": layer_types.write(config.stack),
    }


SANDWICH = (
    Weight("model.layers.{layer}.input_layernorm.weight", (f"{llama.LAYER}.0.norm.weight",)),
    Weight("model.layers.{layer}.post_attention_layernorm.weight", (f"{llama.LAYER}.0.after.weight",)),
    Weight("model.layers.{layer}.pre_feedforward_layernorm.weight", (f"{llama.LAYER}.1.norm.weight",)),
    Weight("model.layers.{layer}.post_feedforward_layernorm.weight", (f"{llama.LAYER}.1.after.weight",)),
)
WEIGHTS = (*llama.OUTSIDE, *llama.ATTENTION, *llama.QK_NORM, *llama.MLP, *SANDWICH)

FAMILY2 = Family(
    "gemma2", "Gemma2ForCausalLM", read_gemma2, write_gemma2, WEIGHTS, bare=("Gemma2Model",), **llama.ALIKE
)
FAMILY3 = Family(
    "gemma3_text", "Gemma3ForCausalLM", read_gemma3, write_gemma3, WEIGHTS, bare=("Gemma3TextModel",), **llama.ALIKE
)
