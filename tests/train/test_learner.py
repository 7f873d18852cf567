"""What stands beside a model while it learns, and how it says what it said at first."""

import pytest
import torch

from hornbook.adapt.adapter import attach
from hornbook.adapt.dora import Dora
from hornbook.adapt.lora import Lora
from hornbook.adapt.qlora import Qlora
from hornbook.objective.kl import Kl
from hornbook.train.learner import plain, prepare, reference_of
from tests.train.writers import decoder

IDS = torch.tensor([[3, 1, 4, 1, 5]])


@pytest.mark.parametrize(
    ("adapter", "copied"),
    [(None, True), (Lora(rank=2), False), (Qlora(rank=2), False), (Dora(rank=2), True)],
    ids=["whole", "lora", "qlora", "dora"],
)
def test_the_reference_is_the_model_as_it_was(adapter: Lora | None, copied: bool) -> None:
    model = decoder()
    if adapter is not None:
        attach(model, adapter, torch.Generator().manual_seed(0))
    before = model(IDS).logits
    reference = reference_of(model)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1)
    after = model(IDS).logits
    with reference() as was:
        assert (was is not model) == copied
        torch.testing.assert_close(was(IDS).logits, before)
    torch.testing.assert_close(model(IDS).logits, after, atol=0, rtol=0)
    assert (after - before).abs().max() > 0.01


def test_the_saved_model_is_a_plain_one_and_the_checkpoint_is_not() -> None:
    model = decoder()
    names = set(model.state_dict())
    prepare(model, Kl(coefficient=0.3), critic=24)
    assert set(model.state_dict()) - names == {"kl_coefficient", "critic.weight", "critic.bias"}
    with plain(model):
        assert set(model.state_dict()) == names
    assert float(model.kl_coefficient) == pytest.approx(0.3)
    assert model.critic(torch.ones(2, 5, 24)).shape == (2, 5)
    assert model.critic(torch.ones(24)) == 0
