"""A new head on a finished model."""

from typing import Any

import pytest
import torch

from hornbook.adapt import head
from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.exchange import families
from hornbook.model.classifier import LAST, SequenceClassifier, TokenClassifier
from hornbook.model.models import Model
from hornbook.model.pool import Pooling

TWO = SequenceClassifier(labels=2, pooling=LAST, bias=False)


def model(name: str, *overrides: str) -> Any:
    config: Any = recipe.load(Model, f"models/{name}", overrides)  # type: ignore[arg-type]  # a union is a type too
    return config.build()


@pytest.mark.parametrize("name", ["llama-tiny", "mamba-tiny", "gpt2-tiny"])
@torch.no_grad()
def test_the_base_stays_and_the_head_is_of_a_seed(name: str) -> None:
    base, one, same, other = model(name), model(name), model(name), model(name)
    for built, seed in ((one, 1), (same, 1), (other, 2)):
        head.put(built, TWO, seed=seed)
    assert torch.equal(one.head.labels.weight, same.head.labels.weight)
    assert not torch.equal(one.head.labels.weight, other.head.labels.weight)
    ids = torch.arange(6)[None]
    one.eval(), base.eval()
    assert torch.equal(one(ids).hidden, base(ids).hidden)
    assert one(ids).logits.shape == (1, 2)
    assert one.config.head == TWO
    assert 0.004 < float(one.head.labels.weight.detach().std()) < 0.5
    assert one.config.build().state_dict().keys() == one.state_dict().keys()


def test_a_head_again_is_a_new_one() -> None:
    built = model("llama-tiny")
    head.put(built, TWO)
    head.put(built, head.REWARD)
    assert built(torch.zeros(3, 4, dtype=torch.long)).logits.shape == (3, 1)


def test_a_pretrained_pooler_is_gone_on_with() -> None:
    """BERT classifies with the matrix it told followers from strangers with."""
    built = model("bert-pretraining-tiny")
    before = built.pair.pooler.dense.weight.clone()
    head.put(built, SequenceClassifier(labels=3, pooling=head.pooling_of(built)))
    assert torch.equal(built.head.pooler.dense.weight, before)
    assert built.pair is None
    assert built(torch.zeros(3, 4, dtype=torch.long)).logits.shape == (3, 3)
    assert families.fields_of(built.config)["architectures"] == ["BertForSequenceClassification"]


def test_each_kind_has_its_own_way_to_make_a_vector() -> None:
    assert head.pooling_of(model("llama-tiny")) == LAST
    assert head.pooling_of(model("llama-tiny"), "first") == Pooling(take="first", activation=None)
    assert head.pooling_of(model("bert-tiny")) == Pooling(take="first", activation="tanh")
    assert head.pooling_of(model("bert-tiny"), "mean") == Pooling(take="mean", activation=None)


def test_tokens_are_labelled_by_encoders() -> None:
    built = model("bert-tiny")
    head.put(built, TokenClassifier(labels=5))
    assert built(torch.zeros(3, 4, dtype=torch.long)).logits.shape == (3, 4, 5)
    with pytest.raises(RecipeError, match="label tokens with an encoder"):
        head.put(model("llama-tiny"), TokenClassifier(labels=5))
    with pytest.raises(RecipeError, match="start from a decoder or an encoder"):
        head.put(model("t5-tiny"), TWO)
