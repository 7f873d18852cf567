"""Hidden tokens: the figures of BERT's paper, other masks in every epoch, whole words, the text comes back."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Windows
from hornbook.data.masked import Mask, Masked
from hornbook.data.order import row_generator
from hornbook.data.shards import Shards
from hornbook.data.words import Words
from tests.data.conftest import MarkedTokenizer

Make = Callable[..., Shards]
TEXT = "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer. "
ROWS, LENGTH = 2000, 514  # a million tokens and more


@pytest.mark.parametrize("whole_words", [False, True])
def test_the_shares_are_those_of_the_paper_within_a_hundredth(whole_words: bool, marked: MarkedTokenizer) -> None:
    """Devlin et al. 2019, section 3.1: 15 %; of them 80 % mask, 10 % another token, 10 % as they were."""
    masker = Mask(whole_words=whole_words).build(marked)
    text = np.tile(np.frombuffer((TEXT * 7)[: LENGTH - 2].encode(), dtype=np.uint8).astype(np.int64), (ROWS, 1))
    seen, labels = (
        np.stack(arrays)
        for arrays in zip(*(masker(row, row_generator(0, n)) for n, row in enumerate(text)), strict=True)
    )
    chosen = labels != IGNORE
    assert text.size > 1e6
    assert chosen.mean() == pytest.approx(0.15, rel=0.01)
    assert (seen[chosen] == marked.special["<mask>"]).mean() == pytest.approx(0.8, rel=0.01)
    other = (seen != text) & (seen != marked.special["<mask>"])
    # a token drawn at random is the same as before once in 256 times
    assert other[chosen].mean() == pytest.approx(0.1 * 255 / 256, rel=0.02)
    assert (seen[chosen] == text[chosen]).mean() == pytest.approx(0.1 + 0.1 / 256, rel=0.02)
    assert (seen[~chosen] == text[~chosen]).all()
    assert np.bincount(seen[other], minlength=256).max() < 256  # spread over all of them, no mark among them


def test_random_tokens_are_one_in_ten_of_the_chosen_to_the_hundredth(marked: MarkedTokenizer) -> None:
    """With every token chosen there are enough of them for the hundredth."""
    masker, text = Mask(share=0.999).build(marked), np.full(1_200_000, 65, dtype=np.int64)
    seen, labels = masker(text, row_generator(1, 0))
    chosen = labels != IGNORE
    assert (seen[chosen] == marked.special["<mask>"]).mean() == pytest.approx(0.8, rel=0.01)
    assert (seen[chosen] == 65).mean() == pytest.approx(0.1 + 0.1 / 256, rel=0.01)
    assert ((seen != 65) & (seen != marked.special["<mask>"])).sum() / chosen.sum() == pytest.approx(0.0996, rel=0.01)


def test_the_labels_give_the_text_back(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards({"a": TEXT * 3, "b": TEXT * 2}).train
    source = Masked(length=32).build(split, marked, seed=4)
    plain = Windows(length=31).build(split, seed=4)
    batch = source.batch(3, 9)
    mended = torch.where(batch.labels == IGNORE, batch.input_ids, batch.labels)
    assert torch.equal(mended[:, :-1], plain.batch(3, 9).input_ids)
    assert (batch.input_ids[:, -1] == marked.end).all()
    assert (batch.labels[:, -1] == IGNORE).all()
    assert source.length == 32
    assert source.documents(3, 9) == plain.documents(3, 9)


def test_a_row_begins_with_the_mark_that_bert_gives_it(make_shards: Make) -> None:
    bert = MarkedTokenizer(("[PAD]", "[CLS]", "[SEP]", "[MASK]"))
    batch = Masked(length=16).build(make_shards({"a": TEXT}).train, bert, seed=None).batch(0, 2)
    assert batch.input_ids[:, 0].tolist() == [bert.special["[CLS]"]] * 2
    assert batch.input_ids[:, -1].tolist() == [bert.special["[SEP]"]] * 2
    assert batch.labels[:, 0].tolist() == [IGNORE] * 2


def test_every_epoch_hides_other_tokens_of_the_same_text(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards({"a": TEXT * 3}).train
    source = Masked(length=32).build(split, marked, seed=None)
    first, second = (source.batch(epoch * source.rows_per_epoch, 4) for epoch in (0, 1))
    original = [torch.where(b.labels == IGNORE, b.input_ids, b.labels) for b in (first, second)]
    assert torch.equal(*original)
    assert not torch.equal(first.labels, second.labels)


def test_rows_do_not_depend_on_how_they_are_asked_for(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards({"a": TEXT * 9}).train
    whole = Masked(length=24).build(split, marked, seed=7).batch(100, 12)
    again = Masked(length=24).build(split, marked, seed=7)
    for row in range(12):
        part = again.batch(100 + row, 1)
        assert torch.equal(part.input_ids[0], whole.input_ids[row])
        assert torch.equal(part.labels[0], whole.labels[row])


def test_whole_words_are_hidden_together_or_not_at_all(marked: MarkedTokenizer) -> None:
    masker, numbers = Mask(whole_words=True, share=0.3).build(marked), Words(marked)
    text = np.frombuffer((TEXT * 2).encode(), dtype=np.uint8).astype(np.int64)
    word, halves = numbers.number(text), 0
    for row in range(200):
        chosen = masker(text, row_generator(0, row))[1] != IGNORE
        hidden = np.bincount(word, weights=chosen) / np.bincount(word)
        assert set(hidden) <= {0.0, 1.0}
        single = Mask(share=0.3).build(marked)(text, row_generator(0, row))[1] != IGNORE
        halves += bool(set(np.bincount(word, weights=single) / np.bincount(word)) - {0.0, 1.0})
    assert halves == 200  # without whole words they are torn


def test_the_ends_of_documents_inside_a_row_are_never_hidden(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards({f"d{n}": "ab" for n in range(400)}).train
    source = Masked(length=65, mask=Mask(share=0.9)).build(split, marked, seed=0)
    batch = source.batch(0, source.rows_per_epoch)
    assert (batch.input_ids == marked.end).sum() >= 17 * source.rows_per_epoch
    assert not (batch.labels == marked.end).any()


def test_a_vocabulary_without_a_mask_is_refused(make_shards: Make) -> None:
    with pytest.raises(UserError, match=r"add <mask>"):
        Masked(length=16).build(make_shards({"a": TEXT}).train, MarkedTokenizer(()), seed=0)


def test_impossible_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"share: 1.5 is not a share between 0 and 1; try 0.15"):
        Mask(share=1.5)
    with pytest.raises(ValueError, match=r"length: 2 leaves no room for text"):
        Masked(length=2)
