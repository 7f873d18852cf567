"""Documents to passages: whole words, neighbours, and no short rest."""

import pytest

from hornbook.core.errors import UserError
from hornbook.data.passages import Passages, passages

TEXT = "one two  three\nfour five six seven eight"


def documents(first: int, end: int) -> list[tuple[str, str]]:
    return [(f"{number}.txt", " ".join(f"w{number}x{place}" for place in range(20))) for number in range(first, end)]


def test_a_passage_is_a_stretch_of_the_text() -> None:
    assert list(passages(TEXT, 3)) == ["one two  three", "four five six", "seven eight"]
    assert list(passages(TEXT, 5)) == ["one two  three\nfour five", "six seven eight"]
    assert list(passages(TEXT, 7)) == ["one two  three\nfour five six seven"]  # one word is less than half
    assert list(passages("", 7)) == []


def test_what_is_written_without_spaces_is_cut_by_characters() -> None:
    assert list(passages("春眠不觉晓处处闻啼鸟", 2)) == ["春眠不觉晓处处闻"]


def test_alone_or_with_what_follows() -> None:
    alone, pairs = (
        Passages(words=5, partner=partner).parts(documents(0, 30), documents(30, 40)) for partner in ("itself", "next")
    )
    assert all(row["texts"][0] == row["texts"][1] and row["alone"] for row in alone.train)
    assert len(alone.train) == 2 * len(pairs.train) == 120
    for row in [*pairs.train, *pairs.validation, *alone.validation]:
        first, second = (text.split() for text in row["texts"])
        document, place = first[-1].split("x")
        assert second[0] == f"{document}x{int(place) + 1}"
        assert not row["alone"]
    trained_on = {text for row in alone.train for text in row["texts"]}
    assert not trained_on & {text for row in alone.validation for text in row["texts"]}


def test_no_more_rows_than_wanted_and_not_too_few() -> None:
    assert len(Passages(words=5, most=7).parts(documents(0, 30), documents(30, 40)).train) == 7
    with pytest.raises(UserError, match="the documents have 0 passages of 100 words"):
        Passages(words=100).parts(documents(0, 30), documents(30, 40))
