"""Costs against the parameters of the built model, PyTorch's FLOP counter and PaLM's formula."""

from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hornbook.core import recipe
from hornbook.model.cost import cost, training_flops
from hornbook.model.decoder import Decoder
from hornbook.model.models import Model

TINY = [name for name in recipe.built_in_names() if name.startswith("models/") and name.endswith("-tiny")]
DECODERS = [name for name in TINY if recipe.read(recipe.find(name)).get("type", "decoder") == "decoder"]


@pytest.mark.parametrize("name", TINY)
def test_parameters_are_those_of_the_model(name: str) -> None:
    config: Any = recipe.load(Model, name)
    assert cost(config).parameters == sum(parameter.numel() for parameter in config.build().parameters())


@pytest.mark.parametrize("name", DECODERS)
def test_flops_are_those_torch_counts(name: str) -> None:
    config = recipe.load(Decoder, name)
    if any(word in recipe.find(name).read_text(encoding="utf-8") for word in ("window: ", "type: hyena")):
        pytest.skip("the counter knows neither windows nor Fourier transforms")
    model, ids = config.build().eval(), torch.zeros(2, 32, dtype=torch.long)
    math = sdpa_kernel(SDPBackend.MATH)  # the counter does not know the fused kernel of CPUs
    with math, FlopCounterMode(display=False) as counter, torch.no_grad():
        model(ids)
    assert 64 * cost(config, 32).flops == counter.get_total_flops()


def test_training_takes_palms_count() -> None:
    """6N + 12LHQT, N without the tables that are looked up and the vectors that are added."""
    config = recipe.load(Decoder, "models/llama2-7b")
    n = 32 * (4 * 4096**2 + 3 * 4096 * 11008) + 32000 * 4096
    assert training_flops(config, 2048) == 6 * n + 12 * 32 * 32 * 128 * 2048


def test_windows_bound_the_cost_of_length() -> None:
    config = recipe.load(Decoder, "models/windowed-tiny")
    growth = cost(config, 40).flops - cost(config, 30).flops
    assert growth == 10 * 4 * 48  # one layer of four looks at all: 4 * heads * head_dim more per token


def test_cache_is_the_state() -> None:
    config = recipe.load(Decoder, "models/qwen3-tiny")
    state = config.build().new_state(1, 1)
    held = sum(4 * (op.keys.numel() + op.values.numel()) for layer in state.layers for op in layer if op is not None)
    assert cost(config).cache_bytes() == held
    assert cost(config).cache_bytes(torch.bfloat16) == held // 2
