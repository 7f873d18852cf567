"""Mixtral (Jiang et al. 2024): Mistral, where each MLP is eight of which a token is shown to two (section 2.1)."""

from typing import Any

from hornbook.exchange import llama
from hornbook.exchange.family import Family, Fields, expect
from hornbook.exchange.weights import Weight
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.experts import Experts
from hornbook.model.mlp import GatedMLP
from hornbook.model.rope import Rope

KNOWN = {"max_position_embeddings": 131_072, "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "rope_theta": 1e6}


def read(fields: Fields) -> dict[str, Any]:
    """config.json -> recipe"""
    expect(fields, router_jitter_noise=0.0)
    data = llama.read(KNOWN | {**fields, "attention_bias": False, "mlp_bias": False})
    attention, mlp = data["stack"]["layer"]
    experts = {
        "type": "experts",
        "experts": fields.get("num_local_experts", 8),
        "active": fields.get("num_experts_per_tok", 2),
        "expert": mlp,
        "balance": fields.get("router_aux_loss_coef", 0.001),
    }
    data["stack"]["layer"] = [{**attention, "window": fields.get("sliding_window")}, experts]
    return data


def write(config: Decoder) -> dict[str, Any] | None:
    """Recipe -> config.json"""
    match config.stack.plan()[0], config.stack.position:
        case (Attention() as attention, Experts(expert=GatedMLP() as mlp) as experts), Rope():
            fields = llama.without(llama.write_model(config, attention, mlp), "attention_bias", "mlp_bias")
            return fields and {
                **fields,
                "sliding_window": attention.window,
                "num_local_experts": experts.experts,
                "num_experts_per_tok": experts.active,
                "router_aux_loss_coef": experts.balance,
            }
        case _:
            return None


MOE = "model.layers.{layer}.block_sparse_moe"
EXPERTS = (
    Weight(f"{MOE}.gate.weight", (f"{llama.LAYER}.1.op.router.weight",)),
    Weight(f"{MOE}.experts.{{expert}}.w1.weight", (f"{llama.LAYER}.1.op.experts.{{expert}}.gate.weight",)),
    Weight(f"{MOE}.experts.{{expert}}.w3.weight", (f"{llama.LAYER}.1.op.experts.{{expert}}.up.weight",)),
    Weight(f"{MOE}.experts.{{expert}}.w2.weight", (f"{llama.LAYER}.1.op.experts.{{expert}}.output.weight",)),
)

FAMILY = Family(
    "mixtral",
    "MixtralForCausalLM",
    read,
    write,
    (*llama.OUTSIDE, *llama.NORMS, *llama.ATTENTION, *EXPERTS),
    bare=("MixtralModel",),
    **llama.ALIKE,
)
