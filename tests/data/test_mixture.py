from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.data import tokenize
from hornbook.data.batches import IGNORE, Windows
from hornbook.data.mixture import TURNS, Mixture, MixtureSource, Part, take_turns
from hornbook.data.pack import Packed
from hornbook.data.shards import Shards

Make = Callable[..., Shards]
WEIGHTS = [0.7, 0.2, 0.1]


@pytest.fixture
def parts(make_shards: Make) -> tuple[Part, ...]:
    """Three folders whose documents are made of one letter each."""
    made = []
    for letter, weight, repeats in zip("abc", WEIGHTS, (40, 90, 300), strict=True):
        some = {f"{letter}{number}": letter * (number * repeats % 97 + 3) for number in range(30)}
        made.append(Part(shards=make_shards(some).folder, weight=weight))
    return tuple(made)


@pytest.mark.parametrize("rows", [Windows(length=16), Packed(length=16)])
def test_tokens_are_shared_by_weight(parts: tuple[Part, ...], rows: Windows | Packed) -> None:
    source = Mixture(parts=parts, rows=rows).build("train", seed=0)
    batch = source.batch(123, 4_000)
    trained = batch.labels[batch.labels != IGNORE]
    letters = torch.stack([(trained == ord(letter)).sum() for letter in "abc"]).double()
    for found, wanted in zip((letters / letters.sum()).tolist(), WEIGHTS, strict=True):
        assert abs(found - wanted) < 0.01
    assert list(source.shares().values()) == pytest.approx(WEIGHTS, abs=1e-4)


def test_shares_hold_over_any_short_stretch() -> None:
    turns = take_turns(np.array(WEIGHTS))
    for start in (0, 77, 40_000, 65_000):
        counts = np.bincount(turns[np.arange(start, start + 100) % TURNS], minlength=3)
        assert np.abs(counts - [70, 20, 10]).max() <= 1


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50))
def test_every_part_has_a_turn_and_all_turns_are_given(weights: list[float]) -> None:
    counts = np.bincount(take_turns(np.array(weights)), minlength=len(weights))
    assert counts.sum() == TURNS
    assert counts.min() >= 1
    exact = np.array(weights) / sum(weights) * TURNS
    assert (np.abs(counts - exact) <= len(weights)).all()


def test_each_part_is_gone_through_in_its_own_order(parts: tuple[Part, ...]) -> None:
    source = Mixture(parts=parts, rows=Windows(length=16)).build("train", seed=5)
    batch = source.batch(0, 500)
    whose = source.turns[:500]
    for number, part in enumerate(source.sources):
        count = int((whose == number).sum())
        assert torch.equal(batch.labels[torch.from_numpy(whose == number)], part.batch(0, count).labels)


_built: list[MixtureSource] = []


@settings(max_examples=40, deadline=None)
@given(
    first=st.one_of(st.integers(0, 1_000), st.integers(TURNS - 20, TURNS + 5), st.integers(10**12, 10**12 + 50)),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
def check_cuts(first: int, cuts: list[int]) -> None:
    source = _built[0]
    together, names = source.batch(first, sum(cuts)), source.documents(first, sum(cuts))
    borders = [first, *(first + np.cumsum(cuts)).tolist()]
    parts = [source.batch(a, b - a) for a, b in pairwise(borders)]
    for name in ("input_ids", "labels", "document_ids", "positions"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(together, name))
    assert [row for a, b in pairwise(borders) for row in source.documents(a, b - a)] == names


def test_rows_do_not_depend_on_how_they_are_asked_for(parts: tuple[Part, ...]) -> None:
    _built[:] = [Mixture(parts=parts, rows=Packed(length=16)).build("train", seed=3)]
    check_cuts()


def test_documents_are_named_with_their_part(parts: tuple[Part, ...]) -> None:
    source = Mixture(parts=parts, rows=Windows(length=16)).build("train", seed=5)
    batch, names = source.batch(7, 20), source.documents(7, 20)
    for row, listed in zip(batch.labels.tolist(), names, strict=True):
        letters = {name.rpartition(":")[2][0] for name in listed}
        assert {chr(label) for label in row if label < 256} <= letters
        assert all(
            name.startswith(str(part.shards)) for name in listed for part in parts if name.endswith(part.shards.name)
        )


def test_parts_of_different_tokenizers_are_refused(
    parts: tuple[Part, ...], tmp_path: Path, write_corpus: Callable[..., Path], byte_tokenizer: type
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"a": "a" * 100}, {})
    other = tokenize.write(corpus, tmp_path / "other", byte_tokenizer(300))
    mixture = Mixture(parts=(*parts, Part(shards=other.folder, weight=1)), rows=Windows(length=16))
    with pytest.raises(UserError, match="made with another tokenizer"):
        mixture.build("train", seed=0)


def test_impossible_mixtures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"weight: -1"):
        Part(shards=Path("x"), weight=-1)
    with pytest.raises(ValueError, match="an empty mixture"):
        Mixture(parts=(), rows=Windows(length=16))
