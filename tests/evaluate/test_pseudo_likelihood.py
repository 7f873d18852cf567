"""Pseudo-likelihood: more copies than fit a pass change nothing, and who has no mask is told."""

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.evaluate import pseudo_likelihood
from hornbook.evaluate.pairs import Pair
from hornbook.model.encoder import Encoder
from hornbook.text.bpe import BPE
from hornbook.text.wordpiece import WordPiece

TEXT = ["the small red fox and the old grey wolf ran over two green hills"] * 5


def test_parts_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = WordPiece(vocab=200, alphabet=60).train(TEXT)
    config = recipe.load(Encoder, "models/bert-tiny", [f"embed.vocab={tokenizer.vocab}"])
    model = config.build(torch.Generator().manual_seed(0)).eval()
    ids = tuple(tokenizer.encode("the small red fox and the old grey wolf"))
    pairs = [Pair(ids[:4], ids[4:]), Pair((), ids)]
    whole = pseudo_likelihood.likelihoods(model, tokenizer, pairs)
    monkeypatch.setattr(pseudo_likelihood, "ROWS", 3)
    parts = pseudo_likelihood.likelihoods(model, tokenizer, pairs)
    assert [one.nats for one in parts] == pytest.approx([one.nats for one in whole], abs=1e-4)
    assert whole[1].nats < whole[0].nats < 0


def test_a_tokenizer_without_a_mask_is_refused() -> None:
    tokenizer = BPE(vocab=300).train(TEXT)
    config = recipe.load(Encoder, "models/bert-tiny", [f"embed.vocab={tokenizer.vocab}"])
    with pytest.raises(UserError, match="has no mask"):
        pseudo_likelihood.likelihoods(config.build(), tokenizer, [Pair((1,), (2,))])
