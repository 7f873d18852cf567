"""Hidden tokens whose answers stand one place early."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.data import shards
from hornbook.data.batches import IGNORE, Windows
from hornbook.data.masked import Mask
from hornbook.data.masked_next import MaskedNextTokens, with_blank
from hornbook.text.bpe import BPE
from tests.data.test_texts import TOKENIZER


@pytest.fixture
def split(tmp_path: Path) -> shards.Split:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hornbook.data import tokenize

    texts = ["the cat sat on the mat " * 9] * 9
    table = pa.table({"id": [str(i) for i in range(9)], "text": texts, "source": ["x"] * 9})
    for name in ("train", "validation"):
        pq.write_table(table, tmp_path / f"{name}-00000.parquet")
    return tokenize.write(tmp_path, tmp_path / "shards", TOKENIZER, processes=1).train


def test_the_answer_stands_before_what_is_hidden(split: shards.Split) -> None:
    source = MaskedNextTokens(length=32, mask=Mask(share=0.3)).build(split, TOKENIZER, seed=1)
    batch = source.batch(0, 8)
    plain = Windows(length=32).build(split, seed=1).batch(0, 8).input_ids
    places = batch.labels != IGNORE
    assert not places[:, -1].any()
    assert torch.equal(batch.labels[places], plain[:, 1:][places[:, :-1]])  # the original, one further on
    blank = TOKENIZER.encode("_")[0]
    hidden = batch.input_ids[:, 1:][places[:, :-1]] == blank
    assert 0.6 < hidden.float().mean() < 0.95
    elsewhere = ~torch.cat([torch.zeros(8, 1, dtype=torch.bool), places[:, :-1]], 1)
    elsewhere[:, 0] = False  # may be hidden, and then has no place to be answered
    assert torch.equal(batch.input_ids[elsewhere], plain[elsewhere])
    assert abs(places.float().mean() - 0.3) < 0.05


def test_a_row_is_the_same_whoever_asks_and_another_an_epoch_later(split: shards.Split) -> None:
    source = MaskedNextTokens(length=32).build(split, TOKENIZER, seed=1)
    assert torch.equal(source.batch(0, 4).labels[2:], source.batch(2, 2).labels)
    rows = source.rows_per_epoch
    assert not torch.equal(source.batch(0, rows).labels, source.batch(rows, rows).labels)


def test_a_mask_that_there_is_is_taken() -> None:
    special = ("<|endoftext|>", "<mask>")
    with_mask = BPE(vocab=300, split="gpt2", special=special).train(["the cat\n"] * 9, processes=1)
    assert with_blank(with_mask).mask == with_mask.special["<mask>"]
    assert with_blank(TOKENIZER).mask == TOKENIZER.encode("_")[0]


def test_a_vocabulary_without_either_is_refused() -> None:
    poor = SimpleNamespace(special={"<end>": 0}, vocab=9, end=0, encode=lambda _: [1, 2])
    with pytest.raises(UserError, match="tokenizer: has neither a mask token nor '_' as one token"):
        with_blank(poor)
