"""Heads for labels and numbers."""

from dataclasses import replace

import pytest
import torch

from hornbook.core import recipe
from hornbook.model.classifier import LAST, Regression, SequenceClassifier, TokenClassifier
from hornbook.model.decoder import Decoder
from hornbook.model.pool import Pooling, Take

PLAIN = Pooling(activation=None)


def test_a_row_is_scored_off_its_pooled_vector() -> None:
    head, hidden = SequenceClassifier(labels=3, pooling=PLAIN).build(4, 9, 4), torch.randn(2, 5, 4)
    with torch.no_grad():
        head.labels.weight.copy_(torch.arange(12.0).reshape(3, 4))
        head.labels.bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    wanted = hidden[:, 0] @ torch.arange(12.0).reshape(3, 4).T + torch.tensor([0.0, 1.0, 2.0])
    torch.testing.assert_close(head(hidden), wanted)
    torch.testing.assert_close(head.rows(hidden)["pooled"], hidden[:, 0])


def test_every_token_is_scored_by_itself() -> None:
    head, hidden = TokenClassifier(labels=3).build(4, 9, 4), torch.randn(2, 5, 4)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    torch.testing.assert_close(head(hidden)[1, 3], head(hidden[1, 3]))
    assert head(hidden).shape == (2, 5, 3)


def test_numbers_are_as_many_as_asked_for() -> None:
    assert Regression(values=4).build(8, 9, 8)(torch.zeros(2, 5, 8)).shape == (2, 4)


@pytest.mark.parametrize("kind", [SequenceClassifier, TokenClassifier])
@pytest.mark.parametrize(
    ("labels", "names", "sentence"),
    [
        (1, (), "labels: 1 leave nothing to choose"),
        (3, ("a", "b"), "names: 2 different names for 3 labels"),
        (3, ("a", "b", "a"), "names: 2 different names for 3 labels"),
    ],
)
def test_labels_that_cannot_be_told_apart(kind: type, labels: int, names: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        kind(labels=labels, names=names)


def test_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="values: 0 is no number to learn"):
        Regression(values=0)


@pytest.mark.parametrize("kind", [{"labels": 3}, {"values": 1}])
@pytest.mark.parametrize("way", ["first", "last", "mean"])
@torch.no_grad()
def test_a_decoder_scores_rows_padded_packed_or_alone_alike(kind: dict[str, int], way: Take) -> None:
    head = (SequenceClassifier if "labels" in kind else Regression)(**kind, pooling=Pooling(take=way, activation=None))  # type: ignore[arg-type]
    config = replace(recipe.load(Decoder, "models/llama-tiny", ["init.type=normal", "init.std=0.2"]), head=head)
    model = config.build().eval()
    ids = torch.randint(0, config.vocab, (2, 12), generator=torch.Generator().manual_seed(0))
    alone = torch.cat([model(ids[:1, :7]).logits, model(ids[1:]).logits])
    assert alone.shape == (2, head.build(4, 9, 4).labels.out_features)
    for kept in (slice(0, 7), slice(5, 12)):
        padded, mask = torch.zeros_like(ids), torch.zeros(2, 12)
        padded[0, kept], padded[1], mask[0, kept], mask[1] = ids[0, :7], ids[1], 1, 1
        torch.testing.assert_close(model(padded, attention_mask=mask).logits, alone, rtol=0, atol=1e-5)
    packed = torch.cat([ids[:1, :7], ids[1:]], 1)
    documents = torch.tensor([[0] * 7 + [1] * 12])
    torch.testing.assert_close(model(packed, document_ids=documents).logits, alone, rtol=0, atol=1e-5)
    assert model(ids, logits=False).scores is None


def test_a_row_is_read_at_once() -> None:
    config = replace(recipe.load(Decoder, "models/llama-tiny"), head=Regression(pooling=LAST, bias=False))
    model, ids = config.build(), torch.zeros(1, 4, dtype=torch.long)
    state = model.new_state(1, 8)
    model(ids, state=state)
    with pytest.raises(ValueError, match="state: the head reads whole rows"):
        model(ids, state=state)
