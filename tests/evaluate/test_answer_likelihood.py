"""Answers of an encoder-decoder: padding on either side of a batch changes nothing."""

import pytest
import torch

from hornbook.core import recipe
from hornbook.evaluate.answer_likelihood import likelihoods
from hornbook.evaluate.pairs import Pair
from hornbook.model.models import Model


@pytest.mark.parametrize("name", ["t5-tiny", "bart-tiny"])
def test_together_is_as_likely_as_alone(name: str) -> None:
    model = recipe.load(Model, f"models/{name}").build(torch.Generator().manual_seed(3)).eval()  # type: ignore[arg-type]
    pairs = [Pair((5, 6, 7), (8, 9)), Pair((5,), (10, 11, 12, 13)), Pair((9, 8, 7, 6, 5), (4,))]
    together = likelihoods(model, pairs, start=0)
    for pair, one in zip(pairs, together, strict=True):
        (alone,) = likelihoods(model, [pair], start=0)
        assert one.nats == pytest.approx(alone.nats, abs=1e-4)
        assert one.greedy == alone.greedy
        read = torch.tensor([[0, *pair.continuation[:-1]]])
        with torch.inference_mode():
            logits = model(torch.tensor([pair.context]), decoder_input_ids=read).logits[0]
        by_hand = logits.log_softmax(-1)[range(len(pair.continuation)), torch.tensor(pair.continuation)].sum()
        assert one.nats == pytest.approx(float(by_hand), abs=1e-4)
