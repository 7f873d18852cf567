from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hornbook.core import recipe
from hornbook.model.decoder import Decoder
from hornbook.objective.language import NextToken
from tests.objective.test_batch import case


def test_the_loss_is_the_cross_entropy_of_the_labels() -> None:
    _, model, batch = case("next token")
    logits = model.head(model(batch.input_ids, logits=False).hidden)
    loss = NextToken()(model, batch)
    plain = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), reduction="sum")
    assert torch.allclose(loss.sum, plain, rtol=1e-6)
    assert loss.count == int((batch.labels != -100).sum())


@dataclass
class Rows:
    inputs: dict[str, Tensor]
    labels: Tensor
    next_sentence_labels: None = None


def test_uneven_experts_cost_something_in_training_and_nothing_in_a_score() -> None:
    """`balance` is of the mean loss, so the sum over trained tokens gets it once for each; padding has no say in it."""
    model = recipe.load(Decoder, "models/mixtral-tiny").build()
    ids, mask = torch.randint(131, (2, 12), generator=torch.Generator().manual_seed(0)), torch.ones(2, 12).long()
    mask[1, 7:] = 0
    labels = torch.where(mask.bool(), ids.roll(-1, 1), -100)
    rows = Rows({"input_ids": ids, "attention_mask": mask}, labels)
    score, trained = NextToken()(model.eval(), rows), NextToken()(model.train(), rows)
    balance = model(ids, attention_mask=mask).balance
    assert score.count == trained.count == 19
    torch.testing.assert_close(trained.sum - score.sum, 19 * balance, rtol=1e-4, atol=1e-4)
    trained.sum.backward()
    assert all(layer[1].op.router.weight.grad.abs().max() > 0 for layer in model.stack.layers)


def test_checkpointed_layers_balance_alike() -> None:
    model = recipe.load(Decoder, "models/mixtral-tiny").build().train()
    ids, gradients = torch.randint(131, (2, 12), generator=torch.Generator().manual_seed(0)), []
    for model.stack.checkpoint in (False, True):
        model.zero_grad()
        model(ids).balance.backward()
        gradients.append(model.stack.layers[0][1].op.router.weight.grad)
    torch.testing.assert_close(*gradients)
