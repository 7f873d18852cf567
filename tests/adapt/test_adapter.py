"""Adapters beside whole models: every architecture, what is frozen, what is folded in, what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from hornbook.adapt.adapter import Adapter, adapted, attach, folded, is_adapted, merge
from hornbook.adapt.dora import Dora
from hornbook.adapt.lora import Lora, LowRank
from hornbook.adapt.qlora import Qlora
from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.model.models import AnyModel, Model

TINY = {name for name in recipe.built_in_names() if name.startswith("models/") and name.endswith("-tiny")}
NAMES = sorted(TINY)
GENERATOR = torch.Generator()


def model_of(name: str, *values: str) -> AnyModel:
    config: Model = recipe.load(Model, name, values)
    return config.build(torch.Generator().manual_seed(0)).eval()


def answer(model: AnyModel) -> Tensor:
    """What a model says to something."""
    draw = torch.Generator().manual_seed(3)
    if hasattr(model.config, "embed") and not hasattr(model.config.embed, "vocab"):
        size, channels = model.config.embed.image, model.config.embed.channels
        return model(pixel_values=torch.randn(2, channels, size, size, generator=draw)).logits
    vocab = model.config.vocab
    ids = torch.randint(5, vocab, (2, 12), generator=draw)
    more = {"decoder_input_ids": ids} if isinstance(model.config, EncoderDecoder) else {}
    output = model(ids, **more)
    return output.hidden if output.scores is None else output.logits


@contextmanager
def asked(model: AnyModel) -> Iterator[set[str]]:
    """The matrices whose adapters were asked within."""
    heard: set[str] = set()

    def hear(name: str) -> object:
        return lambda *_: heard.add(name)

    hooks = [linear.adapter.register_forward_hook(hear(name)) for name, linear in adapted(model).items()]
    yield heard
    for hook in hooks:
        hook.remove()


def learn(model: AnyModel) -> None:
    """As if it had been trained."""
    draw = torch.Generator().manual_seed(5)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and not name.endswith("down"):
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=draw)


@pytest.mark.parametrize("name", NAMES)
def test_every_architecture_learns_beside_its_frozen_matrices(name: str) -> None:
    model = model_of(name)
    before = answer(model.requires_grad_(False))  # torch multiplies otherwise where a matrix needs a gradient
    attach(model, Lora(rank=2), GENERATOR.manual_seed(0))
    with asked(model) as heard:
        assert torch.equal(answer(model), before), "an adapter that has learned nothing adds nothing"
    assert heard == set(adapted(model)) or "experts" in " ".join(set(adapted(model)) - heard)
    assert {n for n, p in model.named_parameters() if p.requires_grad} == {
        f"{n}.adapter.{matrix}" for n in adapted(model) for matrix in ("down", "up")
    }
    learn(model)
    said = answer(model)
    assert not torch.allclose(said, before)
    merge(model)
    assert not is_adapted(model)
    said = said.detach()
    size = max(1.0, float(said.abs().max()))
    torch.testing.assert_close(answer(model) / size, said / size, rtol=0, atol=1e-5)


@pytest.mark.parametrize("adapter", [Lora(rank=2), Dora(rank=2), Qlora(rank=2)])
def test_it_is_folded_in_for_a_moment_or_for_good(adapter: Adapter) -> None:
    model = model_of("models/llama-tiny", "embed.vocab=64")
    names = set(model.state_dict())
    attach(model, adapter, GENERATOR.manual_seed(0))
    learn(model)
    said = answer(model)
    with folded(model):
        assert set(model.state_dict()) == names
        torch.testing.assert_close(answer(model), said, rtol=0, atol=1e-6)
    assert torch.equal(answer(model), said)
    merge(model)
    torch.testing.assert_close(answer(model), said, rtol=0, atol=1e-6)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_targets_are_named_by_their_end_or_by_a_pattern() -> None:
    def chosen(*patterns: str) -> set[str]:
        model = model_of("models/llama-tiny", "embed.vocab=64", "stack.layers=2")
        attach(model, Lora(targets=patterns), GENERATOR)
        return set(adapted(model))

    assert chosen("query", "value") == {f"stack.layers.{i}.0.op.{each}" for i in (0, 1) for each in ("query", "value")}
    assert len(chosen("*.layers.*")) == 2 * 7
    assert len(chosen("layers.1.*")) == 7
    assert chosen("*.1.op.g*") == {f"stack.layers.{i}.1.op.gate" for i in (0, 1)}


def test_an_untied_head_may_learn_too_its_soft_cap_included() -> None:
    model = model_of("models/llama-tiny", "embed.vocab=64", "head.tied=false", "head.soft_cap=3")
    attach(model, Lora(rank=2, targets=("head",)), GENERATOR.manual_seed(0))
    learn(model)
    said = answer(model)
    assert float(said.detach().abs().max()) < 3
    merge(model)
    torch.testing.assert_close(answer(model), said, rtol=0, atol=1e-6)


def test_modules_beside_it_may_learn_whole() -> None:
    model = model_of("models/llama-tiny", "embed.vocab=64", "stack.layers=1")
    attach(model, Lora(targets=("query",), full=("embed", "final_norm")), GENERATOR)
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learning == {
        "embed.table.weight",
        "stack.final_norm.weight",
        "stack.layers.0.0.op.query.adapter.down",
        "stack.layers.0.0.op.query.adapter.up",
    }


@pytest.mark.parametrize(
    ("adapter", "sentence"),
    [
        (Lora(targets=("q_proj",)), "adapter.targets: 'q_proj' names no matrix of the model; it has gate, head, key, "),
        (Lora(targets=("head",)), "adapter.targets: 'head' names head, which is the embedding's table too"),
        (Lora(full=("lm_head",)), "adapter.full: 'lm_head' names no module of the model; it has embed, stack"),
    ],
)
def test_what_the_model_has_not_is_refused(adapter: Adapter, sentence: str) -> None:
    model = model_of("models/llama-tiny", "embed.vocab=64", "head.tied=true")
    with pytest.raises(UserError, match=sentence.replace(".", r"\.")):
        attach(model, adapter, GENERATOR)
    assert all(parameter.requires_grad for parameter in model.parameters()), "a model that was refused is as it was"


def test_a_second_adapter_is_refused() -> None:
    model = model_of("models/llama-tiny", "embed.vocab=64")
    attach(model, Lora(), GENERATOR)
    with pytest.raises(UserError, match="adapter: the model has one already; merge that first"):
        attach(model, Dora(), GENERATOR)


def test_experts_learn_each_by_itself_and_their_router_stays() -> None:
    model = model_of("models/mixtral-tiny")
    attach(model, Lora(rank=2), GENERATOR)
    names = set(adapted(model))
    assert any(".experts.0." in name for name in names)
    assert not any(name.endswith("router") for name in names)
    layer = next(linear.adapter for linear in adapted(model).values())
    assert isinstance(layer, LowRank)
