import torch
import torch.nn.functional as F

from hornbook.objective.masked import MaskedTokens, next_sentence
from tests.objective.test_batch import case


def test_without_pairs_it_is_the_cross_entropy_of_the_hidden_tokens() -> None:
    _, model, batch = case("masked")
    logits = model.head(model(batch.input_ids, logits=False).hidden)
    plain = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), reduction="sum")
    assert torch.allclose(MaskedTokens()(model, batch).sum, plain, rtol=1e-6)


def test_with_as_many_hidden_tokens_in_each_row_it_is_berts_sum_of_two_means() -> None:
    """transformers' BertForPreTraining: mean over the hidden tokens plus mean over the rows."""
    _, model, batch = case("masked pairs")
    batch.labels[:] = -100
    batch.labels[:, 3:6] = batch.input_ids[:, 3:6]
    output = model(**batch.inputs, logits=False)
    tokens = F.cross_entropy(model.head(output.hidden).flatten(0, 1), batch.labels.flatten())
    pairs = F.cross_entropy(output.seq_relationship_logits, batch.next_sentence_labels)
    loss = MaskedTokens()(model, batch)
    torch.testing.assert_close(loss.sum / loss.count, tokens + pairs)


def test_a_row_counts_as_often_as_it_has_hidden_tokens() -> None:
    scores, labels = torch.zeros(2, 2), torch.tensor([[5, -100, 7], [-100, -100, 2]])
    loss = next_sentence(scores, torch.tensor([0, 1]), labels)
    assert torch.allclose(loss, 3 * torch.tensor(2.0).log())


def test_it_counts_the_pairs_it_tells_apart() -> None:
    _, model, batch = case("masked pairs")
    scores = model(**batch.inputs, logits=False).seq_relationship_logits
    with torch.no_grad():
        shares = MaskedTokens()(model.eval(), batch).shares
    assert shares["next_sentence_accuracy"] == (int((scores.argmax(-1) == batch.next_sentence_labels).sum()), 4)
