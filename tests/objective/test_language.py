import torch
import torch.nn.functional as F

from hornbook.objective.language import NextToken
from tests.objective.test_batch import case


def test_the_loss_is_the_cross_entropy_of_the_labels() -> None:
    _, model, batch = case("next token")
    logits = model.head(model(batch.input_ids, logits=False).hidden)
    loss = NextToken()(model, batch)
    plain = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), reduction="sum")
    assert torch.allclose(loss.sum, plain, rtol=1e-6)
    assert loss.count == int((batch.labels != -100).sum())
