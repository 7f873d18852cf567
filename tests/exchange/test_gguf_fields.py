"""Metadata as the fields of a config.json, and what no field can stand for."""

from typing import Any

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.exchange.gguf_fields import fields_of, metadata_of, rope_factors
from hornbook.model.rope import Rope
from hornbook.model.scaling import Llama3Scaling

# SmolLM2-135M's file, as llama.cpp's converter wrote it
SMOLLM: dict[str, Any] = {
    "general.architecture": "llama",
    "llama.block_count": 30,
    "llama.context_length": 8192,
    "llama.embedding_length": 576,
    "llama.feed_forward_length": 1536,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
    "llama.rope.freq_base": 100_000.0,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.rope.dimension_count": 64,
    "tokenizer.ggml.eos_token_id": 2,
}
SHAPES = {"token_embd.weight": (49_152, 576)}


def read(change: dict[str, Any], factors: torch.Tensor | None = None, **shapes: tuple[int, ...]) -> dict[str, Any]:
    metadata = {key: value for key, value in (SMOLLM | change).items() if value is not None}
    return fields_of(
        metadata, SHAPES | {name.replace("__", "."): shape for name, shape in shapes.items()}, factors, "x"
    )


def test_a_llama_is_read() -> None:
    assert read({}) == {
        "model_type": "llama",
        "vocab_size": 49_152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "head_dim": 64,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "rope_parameters": {"rope_theta": 100_000.0, "rope_type": "default"},
        "eos_token_id": 2,
    }


def test_what_the_tensors_say() -> None:
    fields = read({}, output__weight=(49_152, 576), blk__0__attn_q__bias=(576,))
    assert (fields["tie_word_embeddings"], fields["attention_bias"], fields["mlp_bias"]) == (False, True, False)


def test_an_answer_may_end_in_another_token_than_a_text() -> None:
    assert read({"tokenizer.ggml.eot_token_id": 7})["eos_token_id"] == [2, 7]
    assert read({"tokenizer.ggml.eot_token_id": 2})["eos_token_id"] == 2


def test_a_window_makes_it_a_mistral() -> None:
    fields = read({"llama.attention.sliding_window": 4096})
    assert (fields["model_type"], fields["sliding_window"]) == ("mistral", 4096)


@pytest.mark.parametrize(
    ("change", "rope"),
    [
        (
            {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0},
            {"rope_type": "linear", "factor": 4.0},
        ),
        ({"llama.rope.scale_linear": 2.0}, {"rope_type": "linear", "factor": 2.0}),  # files of 2023
        ({"llama.rope.scaling.type": "none"}, {"rope_type": "default"}),
        ({"llama.rope.dimension_count": 32, "llama.attention.key_length": 64}, {"partial_rotary_factor": 0.5}),
    ],
)
def test_ropes(change: dict[str, Any], rope: dict[str, Any]) -> None:
    assert read(change)["rope_parameters"] == {"rope_theta": 100_000.0, "rope_type": "default"} | rope


def test_llama_3s_factors_are_recognised() -> None:
    factors = rope_factors(Rope(base=100_000.0, scaling=Llama3Scaling(factor=32.0)), 64)
    assert factors[0] == 1
    assert factors[-1] == 32
    rope = read({}, factors)["rope_parameters"]
    assert rope == {
        "rope_theta": 100_000.0,
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    with pytest.raises(UserError, match=r"x: rope_freqs.weight is not the scaling of Llama 3.1"):
        read({}, factors * torch.linspace(1, 1.1, 32))


def test_numbers_by_layer_must_be_one_number() -> None:
    assert read({"llama.feed_forward_length": [1536] * 30})["intermediate_size"] == 1536
    with pytest.raises(UserError, match=r"x: llama.feed_forward_length differs from layer to layer \(\[1536, 1024"):
        read({"llama.feed_forward_length": [1536, 1024] * 15})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"general.architecture": "grok"}, "x: general.architecture is 'grok'; known are llama, qwen2"),
        ({"general.architecture": None}, "x: general.architecture is None"),
        ({"llama.block_count": None}, "x: llama.block_count is missing"),
        ({"llama.expert_count": 8}, "x: a mixture of 8 experts"),
        ({"split.count": 3, "split.no": 1}, "x: part 2 of 3; join the parts"),
        ({"llama.block_count": "thirty"}, "x: llama.block_count is 'thirty', not a number"),
    ],
)
def test_what_is_not_read_is_one_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read(change)


def test_what_was_read_is_written_again() -> None:
    fields = read({})
    written = metadata_of(fields)
    assert {key: written[key] for key in SMOLLM if key in written} == {k: v for k, v in SMOLLM.items() if k in written}
    assert fields_of({**written, "tokenizer.ggml.eos_token_id": 2}, SHAPES, None, "x") == fields


GEMMA: dict[str, Any] = {
    "general.architecture": "gemma3",
    "gemma3.context_length": 32_768,
    "gemma3.embedding_length": 640,
    "gemma3.block_count": 18,
    "gemma3.feed_forward_length": 2048,
    "gemma3.attention.head_count": 4,
    "gemma3.attention.head_count_kv": 1,
    "gemma3.attention.layer_norm_rms_epsilon": 1e-6,
    "gemma3.attention.key_length": 256,
    "gemma3.attention.value_length": 256,
    "gemma3.rope.freq_base": 1_000_000.0,
    "gemma3.attention.sliding_window": 512,
}


def test_what_llama_cpp_knows_of_gemma_without_being_told() -> None:
    fields = fields_of(GEMMA, {"token_embd.weight": (262_144, 640)}, None, "x")
    assert fields["model_type"] == "gemma3_text"
    assert [i for i, kind in enumerate(fields["layer_types"]) if kind == "full_attention"] == [5, 11, 17]
    assert fields["query_pre_attn_scalar"] == 256
    assert {kind: rope["rope_theta"] for kind, rope in fields["rope_parameters"].items()} == {
        "full_attention": 1e6,
        "sliding_attention": 1e4,
    }
    large = GEMMA | {"gemma3.block_count": 62, "gemma3.embedding_length": 5376, "gemma3.attention.head_count": 32}
    assert fields_of(large, {}, None, "x")["query_pre_attn_scalar"] == 168
