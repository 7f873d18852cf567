"""What is watched is what attention did: weights times values is its answer, and nobody looks ahead."""

import pytest
import torch
from torch import nn

from hornbook.core import recipe
from hornbook.model.models import Model
from hornbook.model.watch import Watch

IDS = torch.randint(3, 60, (2, 9), generator=torch.Generator().manual_seed(0))


def made(name: str) -> nn.Module:
    model: nn.Module = recipe.load(Model, name).build().eval()  # type: ignore[arg-type, union-attr]
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


@torch.no_grad()
@pytest.mark.parametrize("name", ["gpt2-tiny", "bloom-tiny", "shaw-tiny", "falcon-tiny", "windowed-tiny", "gpt1-tiny"])
def test_a_decoders_maps_sum_to_one_and_are_exactly_0_ahead(name: str) -> None:
    model = made(f"models/{name}")
    with Watch(model) as watch:
        model(IDS)
    assert len(watch.maps) == (4 if name == "windowed-tiny" else 3)
    for seen in watch.maps:
        assert seen.itself
        torch.testing.assert_close(seen.weights.sum(-1), torch.ones(seen.weights.shape[:3]))
        assert not seen.weights.triu(1).any()  # exactly 0
        assert (seen.weights.tril() > 0).any()
        if name == "windowed-tiny" and seen is watch.maps[0]:
            assert not seen.weights.tril(-8).any()


@torch.no_grad()
def test_the_weights_are_those_that_made_the_answer() -> None:
    model = made("models/gpt2-tiny")
    op = model.stack.layers[1][0].op  # type: ignore[union-attr, index]
    found = {}
    op.value.register_forward_hook(lambda module, given, answer: found.update(values=answer))
    op.output.register_forward_hook(lambda module, given, answer: found.update(answer=given[0]))
    with Watch(model) as watch:
        model(IDS)
    values = found["values"].unflatten(-1, (op.heads, op.head_dim)).transpose(1, 2)
    answer = (watch.maps[1].weights @ values).transpose(1, 2).flatten(2)
    torch.testing.assert_close(answer, found["answer"], rtol=0, atol=1e-5)


@torch.no_grad()
def test_an_encoder_decoder_looks_at_both() -> None:
    model = made("models/bart-tiny")
    with Watch(model) as watch:
        model(IDS, decoder_input_ids=IDS[:, :5])
    kinds = [(seen.sublayer.split(".")[0], seen.itself, *seen.weights.shape[2:]) for seen in watch.maps]
    assert kinds == [("encoder", True, 9, 9)] * 2 + [("decoder", True, 5, 5), ("decoder", False, 5, 9)] * 2


@torch.no_grad()
def test_a_recurrent_search_is_one_map() -> None:
    model = made("models/rnnsearch-tiny")
    with Watch(model) as watch:
        model(IDS, decoder_input_ids=IDS[:, :5])
    (seen,) = watch.maps
    assert seen.weights.shape == (2, 1, 5, 9)
    assert not seen.itself
    torch.testing.assert_close(seen.weights.sum(-1), torch.ones(2, 1, 5))


@torch.no_grad()
def test_nobody_watches_afterwards() -> None:
    model = made("models/gpt2-tiny")
    with Watch(model) as watch:
        pass
    model(IDS)
    assert watch.maps == []
