"""Encoder-decoders: which tables are one, what decoding remembers, what is refused."""

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.recipe import built_in_names
from hornbook.model.balance import Routed
from hornbook.model.cost import cost
from hornbook.model.encoder_decoder import EncoderDecoder, EncoderDecoderModel
from hornbook.model.models import Model

TINY = [
    name
    for name in built_in_names()
    if name.startswith("models/")
    and name.endswith("-tiny")
    and "encoder_decoder" in str(recipe.read(recipe.find(name)))
]
CLOSE = {"rtol": 0, "atol": 1e-5}


def make(name: str, *overrides: str) -> EncoderDecoderModel:
    """A recipe's model with every parameter off its first value."""
    model = recipe.load(Model, name, overrides).build(torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return model.eval()


def rows(count: int, time: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(3, 60, (count, time), generator=torch.Generator().manual_seed(seed))


def test_there_are_some() -> None:
    assert {"models/transformer-tiny", "models/bart-tiny", "models/t5-tiny"} <= set(TINY)


@pytest.mark.parametrize("name", TINY)
@torch.no_grad()
def test_token_by_token_is_the_whole_pass(name: str) -> None:
    model, source, answer = make(name), rows(2, 11), rows(2, 7, seed=1)
    state = model.new_state(2, 7)
    steps = [model(source, decoder_input_ids=answer[:, :3], state=state).logits]
    steps += [model(decoder_input_ids=answer[:, [i]], state=state).logits for i in range(3, 7)]
    torch.testing.assert_close(torch.cat(steps, 1), model(source, decoder_input_ids=answer).logits, **CLOSE)


@pytest.mark.parametrize("name", TINY)
@torch.no_grad()
def test_padding_changes_nothing(name: str) -> None:
    model, source, answer = make(name), rows(2, 11), rows(2, 7, seed=1)
    mask, answered = torch.ones(2, 11, dtype=torch.long), torch.ones(2, 7, dtype=torch.long)
    mask[1, 6:], answered[1, 5:] = 0, 0
    together = model(source, attention_mask=mask, decoder_input_ids=answer, decoder_attention_mask=answered).logits
    alone = model(source[1:, :6], decoder_input_ids=answer[1:, :5]).logits
    torch.testing.assert_close(together[1:, :5], alone, **CLOSE)


@pytest.mark.parametrize("name", TINY)
@torch.no_grad()
def test_a_later_token_changes_nothing_before_it(name: str) -> None:
    model, source, answer = make(name), rows(2, 11), rows(2, 7, seed=1)
    before = model(source, decoder_input_ids=answer).logits
    answer[:, 4] += 1
    change = (model(source, decoder_input_ids=answer).logits - before).abs().amax((0, 2))
    assert (change > 1e-6).tolist() == [False] * 4 + [True] * 3


def test_source_target_and_head_may_be_one_table_or_three() -> None:
    one = make("models/transformer-tiny")
    assert one.head.weight is one.source.table.weight is one.target.table.weight
    assert cost(one.config).parameters == sum(parameter.numel() for parameter in one.parameters())
    three = make("models/transformer-tiny", "target.vocab=70", "head.tied=false")
    assert three.head.weight.shape == three.target.table.weight.shape == (70, 64)
    assert three.source.table.weight.shape == (131, 64)
    assert cost(three.config).parameters == sum(parameter.numel() for parameter in three.parameters())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [  # table 3 of Vaswani et al. says 65 M and 213 M; T5's as published; BART's with its bias of the logits (50,265)
        ("transformer-base", 63_045_632),
        ("transformer-big", 214_171_648),
        ("bart-base", 139_420_416 + 50_265),
        ("bart-large", 406_291_456 + 50_265),
        ("t5-small", 60_506_624),
        ("t5-base", 222_903_552),
        ("t5-v1.1-small", 76_961_152),
    ],
)
def test_parameters_of_the_papers(name: str, parameters: int) -> None:
    assert cost(recipe.load(EncoderDecoder, f"models/{name}")).parameters == parameters


def test_without_a_source_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="input_ids: no source; give one, or a state that has seen one"):
        make("models/bart-tiny")(decoder_input_ids=rows(1, 2))


def test_experts_of_both_sides_are_balanced_in_training_only() -> None:
    experts = {"type": "experts", "experts": 4, "active": 2, "expert": {"type": "mlp", "hidden": 8}, "balance": 0.5}
    model = make("models/t5-tiny", f"encoder.layer.1={experts}", f"decoder.layer.2={experts}")
    source, answer = rows(2, 11), rows(2, 7, seed=1)
    assert model(source, decoder_input_ids=answer).balance is None
    both = model.train()(source, decoder_input_ids=answer).balance
    routed: list[Routed] = []
    model.encode(source, routed=routed)
    assert len(routed) == 2  # layers of the encoder
    assert 1 <= both.item() <= 2  # half of: 2 where all are used alike, 4 where the same two do all the work
    both.backward()
    routers = [module.router.weight for module in model.modules() if hasattr(module, "router")]
    assert len(routers) == 4
    assert all(router.grad is not None and router.grad.abs().sum() > 0 for router in routers)
