"""A decoder without its causal mask: what it sees, what it keeps, and who may not look ahead."""

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.model.both_ways import look_both_ways, looks_ahead
from hornbook.model.decoder import Decoder, DecoderModel


def built(name: str) -> DecoderModel:
    config: Decoder = recipe.load(Decoder, f"models/{name}")
    return config.build().eval()


@pytest.mark.parametrize("name", ["llama-tiny", "pythia-tiny", "mixtral-tiny", "gpt2-tiny", "gemma3-tiny"])
def test_an_early_token_sees_a_late_one(name: str) -> None:
    model, ids = built(name), torch.arange(1, 9)[None]
    other = ids.clone()
    other[0, -1] = 77
    weights = {key: tensor.clone() for key, tensor in model.state_dict().items()}

    def first(ids: torch.Tensor) -> torch.Tensor:
        return model(ids, logits=False).hidden[0, 0]

    assert torch.allclose(first(ids), first(other), atol=1e-6)
    assert not looks_ahead(model.config)
    look_both_ways(model)
    look_both_ways(model)
    assert not torch.allclose(first(ids), first(other))
    assert looks_ahead(model.config)
    assert all(torch.equal(weights[key], tensor) for key, tensor in model.state_dict().items())


def test_padding_changes_nothing() -> None:
    model = built("llama-tiny")
    look_both_ways(model)
    ids = torch.arange(1, 9)[None]
    real = torch.tensor([[True] * 5 + [False] * 3])
    alone = model(ids[:, :5], logits=False).hidden
    assert torch.allclose(model(ids, attention_mask=real, logits=False).hidden[:, :5], alone, atol=1e-6)


def test_it_is_the_design_that_a_recipe_with_causal_false_builds() -> None:
    model = built("llama-tiny")
    wanted: Decoder = recipe.load(Decoder, "models/llama-tiny", ["stack.layer.0.causal=false"])
    look_both_ways(model)
    assert model.config == wanted
    twin = wanted.build().eval()
    twin.load_state_dict(model.state_dict())
    ids = torch.arange(1, 9)[None]
    assert torch.equal(model(ids).logits, twin(ids).logits)


@pytest.mark.parametrize("name", ["mamba", "rwkv", "hyena"])
def test_what_is_recurrent_is_refused(name: str) -> None:
    model = built(f"{name}-tiny") if name != "mamba" else built("jamba-tiny")
    with pytest.raises(UserError, match=r"stack\.layer: \w+ reads from left to right"):
        look_both_ways(model)
