"""Merging by score beside the slow way of doing it, and with merges left out."""

import itertools
import random

import pytest

from hornbook.text import sentencepiece_model
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from tests.text.made_up_pieces import sentences, trained


@pytest.fixture(scope="module")
def tokenizer() -> SentencePieceBPE:
    found = sentencepiece_model.parse(trained(model_type="bpe"))
    assert isinstance(found, SentencePieceBPE)
    return found


def plainly(tokenizer: SentencePieceBPE, word: str) -> list[str]:
    """Join the two neighbours whose union has the best score, the leftmost first, until no union is a piece."""
    parts = list(word)
    while True:
        unions = [
            (tokenizer.scores[tokenizer.spellings[a + b]], -i)
            for i, (a, b) in enumerate(itertools.pairwise(parts))
            if a + b in tokenizer.spellings
        ]
        if not unions:
            return parts
        i = -max(unions)[1]
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def test_merging_is_what_it_is_said_to_be(tokenizer: SentencePieceBPE) -> None:
    for text in sentences()[:80]:
        normal = tokenizer.rules.normalize(text)
        assert [piece for _, piece in tokenizer.cut(normal)] == plainly(tokenizer, normal)


def test_without_merges_there_are_characters(tokenizer: SentencePieceBPE) -> None:
    draw = random.Random(0)
    text = sentences()[0]
    normal = tokenizer.rules.normalize(text)
    assert tokenizer.sample(text, dropout=0, generator=draw) == tokenizer.encode(text)
    assert [tokenizer.pieces[i] for i in tokenizer.sample(text, dropout=1, generator=draw)] == list(normal)


def test_more_dropout_more_pieces_and_the_same_text(tokenizer: SentencePieceBPE) -> None:
    draw, text = random.Random(0), " ".join(sentences()[:40:2])
    sizes = []
    for dropout in (0.0, 0.1, 0.5, 0.9):
        ids = tokenizer.sample(text, dropout=dropout, generator=draw)
        assert tokenizer.decode(ids) == tokenizer.decode(tokenizer.encode(text))
        sizes.append(len(ids))
    assert sizes == sorted({*sizes})
    again = [tokenizer.sample(text, dropout=0.5, generator=random.Random(3)) for _ in range(2)]
    assert again[0] == again[1]


def test_a_dropout_that_is_no_probability(tokenizer: SentencePieceBPE) -> None:
    with pytest.raises(ValueError, match=r"dropout: 1\.5 is no probability"):
        tokenizer.sample("the", dropout=1.5, generator=random.Random(0))
