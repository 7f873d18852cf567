# ruff: noqa: RUF001 - signs that look alike are meant
"""Counting pieces: the same as a plain Counter, whatever the processes, and never more memory than stated."""

from collections import Counter

import pytest

from hornbook.text import count
from hornbook.text.count import LONGEST, count_parcel, count_pieces, forget_rare
from hornbook.text.pretokenize import split

TEXTS = ["the cat sat on the mat.\n" * 50, "床前明月光，疑是地上霜。" * 20, "", "it's 2026 \n\n  the end"] * 3


@pytest.mark.parametrize("name", ["gpt2", "cl100k", "han"])
def test_counts_are_those_of_a_counter(name: str) -> None:
    expected = Counter(piece for text in TEXTS for piece in split(name).pieces(text))
    assert count_pieces(TEXTS, split(name).name, processes=1) == expected


def test_processes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "PARCEL", 500)
    monkeypatch.setattr(count, "MAX_DISTINCT", 60)  # so that pieces are forgotten on the way
    heard: list[int] = []
    alone = count_pieces(TEXTS, "han", processes=1, progress=heard.append)
    assert alone == count_pieces(iter(TEXTS), "han", processes=2)
    assert heard[-1] == sum(map(len, TEXTS))
    assert len(heard) > 3


def test_pieces_seen_once_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "PARCEL", 10)
    monkeypatch.setattr(count, "MAX_DISTINCT", 40)
    texts = [f"word again and again{number:07d} " for number in range(100)]
    counts = count_pieces(texts, "gpt2", processes=1)
    assert sum(map(len, counts)) <= 60
    assert counts["word"] + counts[" again"] > 150


def test_among_equals_the_first_are_kept() -> None:
    assert forget_rare(Counter(a=1, b=2, c=1, d=1), 3) == Counter(b=2, a=1, c=1)


def test_a_corpus_of_distinct_pieces_is_not_forgotten_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "MAX_DISTINCT", 100)
    assert len(count_pieces([" ".join(map(str, range(100, 300)))], "gpt2", processes=1)) >= 10


def test_a_run_without_a_boundary_is_counted_in_slices() -> None:
    counts, characters = count_parcel(["x" * 1_000_000 + " y"], "gpt2")
    assert characters == 1_000_002
    assert max(map(len, counts)) == LONGEST
    assert sum(len(piece) * number for piece, number in counts.items()) == 1_000_002


def test_no_text_counts_nothing() -> None:
    assert count_pieces([], "han", processes=2) == Counter()
