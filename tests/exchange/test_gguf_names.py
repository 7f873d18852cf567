"""Names of tensors: those of the `gguf` package, both ways; and the order of rows, by hand."""

import gguf
import pytest
import torch

from hornbook.exchange.gguf_names import ARCHITECTURES

MODEL = "model.embed_tokens model.norm lm_head"
LAYER = "input_layernorm self_attn.q_proj self_attn.k_proj self_attn.v_proj self_attn.o_proj post_attention_layernorm"
MLP = "mlp.gate_proj mlp.up_proj mlp.down_proj"
QK = "self_attn.q_norm self_attn.k_norm"
NAMES = {
    "llama": f"{LAYER} {MLP}",
    "qwen2": f"{LAYER} {MLP}",
    "qwen3": f"{LAYER} {MLP} {QK}",
    "gemma3": f"{LAYER} {MLP} {QK} pre_feedforward_layernorm post_feedforward_layernorm",
}


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_names_are_those_of_the_reference(name: str) -> None:
    architecture = ARCHITECTURES[name]
    (number,) = [arch for arch, theirs in gguf.MODEL_ARCH_NAMES.items() if theirs == name]
    table = gguf.get_tensor_name_map(number, 12)
    for theirs in [*MODEL.split(), *(f"model.layers.11.{each}" for each in NAMES[name].split())]:
        for kind in ("weight", "bias"):
            file_name = f"{table.get_name(theirs)}.{kind}"
            assert architecture.file_name(f"{theirs}.{kind}") == file_name
            assert architecture.theirs(file_name) == f"{theirs}.{kind}"


def test_a_name_that_is_not_known_stays_as_it_is() -> None:
    for name in ("blk.0.nothing.weight", "blk.x.attn_q.weight", "x", "rope_freqs.weight"):
        assert ARCHITECTURES["llama"].theirs(name) == name
    assert ARCHITECTURES["llama"].file_name("model.layers.0.mlp.gate.weight") == "model.layers.0.mlp.gate.weight"


def test_rows_of_llamas_queries_take_turns() -> None:
    """Two heads of four rows: the halves (0 1)(2 3) become the pairs (0 2)(1 3)."""
    fields = {"num_attention_heads": 2, "num_key_value_heads": 1}
    llama = ARCHITECTURES["llama"]
    rows = torch.arange(8.0)[:, None].expand(8, 3)
    turned = llama.to_file("model.layers.0.self_attn.q_proj.weight", rows, fields)
    assert turned[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert torch.equal(llama.from_file("model.layers.0.self_attn.q_proj.weight", turned, fields), rows)
    bias = llama.to_file("model.layers.0.self_attn.k_proj.bias", torch.arange(8.0), fields)
    assert bias.tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert llama.to_file("model.layers.0.self_attn.v_proj.weight", rows, fields) is rows


def test_gemmas_norms_hold_their_gain() -> None:
    gemma, weight = ARCHITECTURES["gemma3"], torch.tensor([-0.5, 0.25])
    for name in (
        "model.norm.weight",
        "model.layers.0.self_attn.q_norm.weight",
        "model.layers.3.input_layernorm.weight",
    ):
        assert gemma.to_file(name, weight, {}).tolist() == [0.5, 1.25]
        assert torch.equal(gemma.from_file(name, weight + 1, {}), weight)
    assert gemma.to_file("model.layers.0.mlp.up_proj.weight", weight, {}) is weight
