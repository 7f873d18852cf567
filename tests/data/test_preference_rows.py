"""Packed pairs: each answer is in one place and whole, both halves side by side, the same in any batch."""

from typing import Any

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE
from hornbook.data.preference_rows import Comparisons
from hornbook.data.rendered_pairs import size
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

RENDERER = Renderer(BPE(vocab=300).train(["the red fox and the old grey wolf \n"] * 5), "chatml")


def rows(count: int = 12) -> list[dict[str, Any]]:
    words = ["the", "red", "fox", "and", "the", "old", "grey", "wolf"]
    return [
        {
            "prompt": [{"role": "user", "content": f"number {number}"}],
            "chosen": " ".join(words[: 1 + number % 7]),
            "rejected": " ".join(words[7 - number % 5 :] or ["and"]),
            "id": f"a.jsonl:{number}",
            "margin": float(number),
        }
        for number in range(count)
    ]


def test_every_answer_is_there_once_and_whole() -> None:
    source = Comparisons(length=64).build(rows(), RENDERER, seed=3)
    batch = source.batch(0, source.rows_per_epoch)
    assert batch.document_ids is not None
    seen = []
    for row, pack in enumerate(source.packs_at(0, source.rows_per_epoch)):
        assert sum(size(source.shelf.pairs[pair]) for pair in pack) <= 128
        for place, pair in enumerate(pack):
            seen.append(pair)
            assert batch.margins[row, place] == pair
            for half, answer in enumerate(source.shelf.pairs[pair]):
                assert answer is not None
                here = batch.document_ids[row] == 2 * place + half
                assert batch.input_ids[row][here].tolist() == answer.ids
                assert batch.positions[row][here].tolist() == list(range(len(answer.ids)))
                labels = batch.labels[row][here].tolist()
                assert labels[-1] == IGNORE
                assert labels[answer.start - 1 : -1] == answer.ids[answer.start :]
                assert set(labels[: answer.start - 1]) <= {IGNORE}
    assert sorted(seen) == list(range(12))
    assert int((batch.labels != IGNORE).sum()) == round(source.tokens_per_row * source.rows_per_epoch)


def test_rows_are_the_same_whoever_asks() -> None:
    source = Comparisons(length=64).build(rows(), RENDERER, seed=3)
    source.reference = torch.arange(24.0).view(12, 2)
    whole = source.batch(2, 7)
    for number in range(7):
        one = source.batch(2 + number, 1)
        width, answers = one.input_ids.shape[1], one.reference.shape[1]
        assert whole.input_ids[number, :width].tolist() == one.input_ids[0].tolist()
        assert whole.labels[number, :width].tolist() == one.labels[0].tolist()
        assert whole.reference[number, :answers].tolist() == one.reference[0].tolist()
    names = source.documents(0, source.rows_per_epoch)
    assert sorted(name for row in names for name in row) == sorted(row["id"] for row in rows())


def test_little_is_padding() -> None:
    """Rows of many pairs are nearly full, and what no row uses is not computed."""
    source = Comparisons(length=120).build(rows(60), RENDERER, seed=0)
    assert source.filled > 0.8
    alone = Comparisons(length=120).build(rows(1), RENDERER, seed=0)
    assert alone.batch(0, 1).input_ids.shape[1] == size(alone.shelf.pairs[0])


def test_values_come_back_to_their_pairs() -> None:
    source = Comparisons(length=64).build(rows(), RENDERER, seed=1)
    source.reference = torch.randn(12, 2)
    assert source.each(lambda batch: batch.reference, rows=2).tolist() == source.reference.tolist()


def test_long_pairs_are_dropped_or_cut_and_counted() -> None:
    given = rows(3)
    given[1]["chosen"] = "the old grey wolf " * 20
    dropped = Comparisons(length=48).build(given, RENDERER, seed=None)
    assert (dropped.long, dropped.shelf.names) == (1, ["a.jsonl:0", "a.jsonl:2"])
    cut = Comparisons(length=48, long="cut").build(given, RENDERER, seed=None)
    assert (cut.long, len(cut.shelf.pairs)) == (1, 3)
    chosen = cut.shelf.pairs[1][0]
    assert chosen is not None
    assert len(chosen.ids) == 48
    with pytest.raises(UserError, match="none of the 3 rows fits 8 tokens; make `length` longer"):
        Comparisons(length=8).build(given, RENDERER, seed=None)
    with pytest.raises(UserError, match="there are no rows"):
        Comparisons(length=8).build([], RENDERER, seed=None)
    with pytest.raises(ValueError, match="length: 1"):
        Comparisons(length=1)


def test_a_pair_cannot_be_cut_into_shorter_rows() -> None:
    batch = Comparisons(length=64).build(rows(), RENDERER, seed=0).batch(0, 2)
    with pytest.raises(UserError, match=r"train\.lengths"):
        batch.cut(32)
    assert batch.to("cpu").reference.shape == batch.reference.shape


def test_answers_judged_alone_have_a_place_that_says_so() -> None:
    judged = [
        {"prompt": [{"role": "user", "content": str(n)}], "completion": "the fox", "label": n % 2 == 0}
        for n in range(4)
    ]
    source = Comparisons(length=100).build(judged, RENDERER, seed=None)
    batch = source.batch(0, 1)
    assert batch.document_ids is not None
    found = {int(number) for number in batch.document_ids.unique()}
    assert found - {batch.reference.shape[1]} == {
        2 * place + (pair % 2) for place, pair in enumerate(source.packs_at(0, 1)[0])
    }


def test_the_fingerprint_is_of_ids_and_of_where_answers_begin() -> None:
    one = Comparisons(length=64).build(rows(), RENDERER, seed=0)
    assert one.fingerprint() == Comparisons(length=80).build(rows(), RENDERER, seed=1).fingerprint()
    other = rows()
    other[5]["rejected"] += " wolf"
    assert one.fingerprint() != Comparisons(length=64).build(other, RENDERER, seed=0).fingerprint()
