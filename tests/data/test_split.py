"""Splits: exact counts, the same rows on the same side every time, and the same words never on two sides."""

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.data.rows import Row
from hornbook.data.split import SIDES, Files, Parts, Source, Split, apart


def rows(texts: list[Any]) -> list[Row]:
    return [{"id": f"a.jsonl:{number}", "text": text} for number, text in enumerate(texts, 1)]


def texts(parts: Parts) -> list[list[Any]]:
    return [[row["text"] for row in getattr(parts, side)] for side in SIDES]


@pytest.mark.parametrize(
    ("total", "train", "validation", "counts"),
    [
        (1100, 0.85, 0.05, [935, 55, 110]),  # Raschka 2024, chapter 7
        (1494, 0.7, 0.1, [1045, 149, 300]),  # chapter 6
        (100, 0.57, 0.13, [57, 13, 30]),  # 0.57 * 100 is 56.99999999999999
        (15, 0.9, 0.1, [14, 1, 0]),  # nothing is left over where no test was asked for
        (5, 0.9, 0.05, [4, 1, 0]),
        (1, 0.9, 0.1, [1, 0, 0]),
        (7, 1.0, 0.0, [7, 0, 0]),
    ],
)
def test_the_counts_are_exact(total: int, train: float, validation: float, counts: list[int]) -> None:
    parts = Split(train=train, validation=validation).divide(rows(list(range(total))))
    assert [len(side) for side in texts(parts)] == counts
    assert sorted(chain(*texts(parts))) == list(range(total))
    assert texts(parts) == [sorted(side) for side in texts(parts)]  # each part in the order of the file


shares = st.tuples(st.floats(0.1, 0.8), st.floats(0.05, 0.2))


@given(st.lists(st.integers(0, 30), min_size=12, max_size=60, unique=True), shares, st.randoms())
def test_neither_the_order_nor_the_name_of_the_file_moves_a_row(given: list[int], by: tuple, random: Any) -> None:
    split = Split(train=by[0], validation=by[1])
    shuffled = random.sample(given, len(given))
    here, there = split.divide(rows(given)), split.divide([{**row, "id": "b"} for row in rows(shuffled)])
    assert [set(side) for side in texts(here)] == [set(side) for side in texts(there)]


@given(st.lists(st.integers(0, 12), min_size=30, max_size=80), shares)
def test_the_same_words_are_never_on_two_sides_and_are_counted(given: list[int], by: tuple) -> None:
    assume(len(set(given)) > 2)
    parts = Split(train=by[0], validation=by[1]).divide(rows(given))
    train, validation, test = (set(side) for side in texts(parts))
    assert all((train, validation, test))
    assert len(train) + len(validation) + len(test) == len(train | validation | test)
    assert sorted(chain(*texts(parts))) == sorted(given)
    assert parts.duplicates == len(given) - len(set(given))


@given(st.lists(st.integers(0, 40), min_size=40, max_size=60), shares)
def test_with_some_single_rows_duplicates_leave_the_counts_exact(given: list[int], by: tuple) -> None:
    given = [*given, *range(100, 125)]
    split = Split(train=by[0], validation=by[1])
    assert [len(side) for side in texts(split.divide(rows(given)))] == split.counts(len(given))


def test_a_row_that_is_added_moves_few_others() -> None:
    split = Split(train=0.7, validation=0.1)
    before, after = (texts(split.divide(rows(list(range(total))))) for total in (1000, 1010))
    moved = set(before[0]) - set(after[0])
    assert len(moved) < 10


def test_what_counts_as_the_same_is_said_by_a_key() -> None:
    given = [{"id": str(number), "prompt": number // 4, "chosen": number} for number in range(400)]
    parts = Split(train=0.5, validation=0.25).divide(given, key=lambda row: row["prompt"])
    sides = [{row["prompt"] for row in getattr(parts, side)} for side in SIDES]
    assert [len(side) for side in sides] == [50, 25, 25]
    assert parts.duplicates == 300


def test_rows_that_all_say_the_same_leave_no_validation() -> None:
    with pytest.raises(UserError, match="all 20 rows say the same, none is left for validation"):
        Split().divide(rows(["same"] * 20))


@pytest.mark.parametrize(("train", "validation"), [(0.0, 0.1), (0.9, 0.2), (0.5, -0.1), (1.2, 0.0)])
def test_shares_that_are_none_are_refused(train: float, validation: float) -> None:
    with pytest.raises(ValueError, match="are no shares of the rows; give two numbers above 0"):
        Split(train=train, validation=validation)


class Texts(Source):
    """Rows that must have a text."""

    def row(self, raw: Row) -> Row:
        if not raw.get("text"):
            raise UserError(f"{raw['id']}: no text")
        return raw


def write(path: Path, texts: list[Any]) -> str:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return str(path)


def test_a_source_stops_at_a_bad_row_or_leaves_it_out_and_says_so(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", [*"abcdefghij", "", "a"])
    with pytest.raises(UserError, match=r"a.jsonl:11: no text"):
        Texts(source=source).build()
    parts = Texts(source=source, bad="skip").build()
    assert str(parts) == (
        "11 rows: 10 for train, 1 for validation; 1 say the same as another row and are on its side; "
        "1 were left out (a.jsonl:11: no text)"
    )
    with pytest.raises(UserError, match=r"every row was left out, the first because of b.jsonl:1: no text"):
        Texts(source=write(tmp_path / "b.jsonl", ["", ""]), bad="skip").build()


def test_sides_from_files_are_read_through_the_place_and_may_not_share_a_row(tmp_path: Path) -> None:
    for name, letters in (("train", "abcc"), ("validation", "de"), ("test", "f"), ("leak", "xb")):
        write(tmp_path / f"{name}.jsonl", list(letters))

    def file(name: str) -> Path:
        return tmp_path / f"{name}.jsonl"

    source = Texts(source="train", split=Files(validation="validation", test="test"))
    parts = source.build(file)
    assert (texts(parts), parts.duplicates) == ([["a", "b", "c", "c"], ["d", "e"], ["f"]], 1)
    assert source.files(file) == [file(name) for name in ("train", "validation", "test")]
    with pytest.raises(UserError, match=r"leak.jsonl:2: this row for validation is also one for train \(train.jsonl:2"):
        Texts(source="train", split=Files(validation="leak")).build(file)


def test_the_same_place_in_two_files_of_one_name_is_still_two_rows(tmp_path: Path) -> None:
    same = [{"id": "a.jsonl:1", "text": "x"}]
    with pytest.raises(UserError, match="for test is also one for train"):
        apart(Parts(same, [], list(same)))


def test_a_recipe_names_shares_or_files() -> None:
    assert recipe.parse(Split | Files, {"train": 0.8}) == Split(train=0.8)
    assert recipe.parse(Split | Files, {"type": "files", "validation": "v.csv"}) == Files(validation="v.csv")
    with pytest.raises(RecipeError, match="shares of the rows"):
        recipe.parse(Split | Files, {"train": 2.0}, "data.split")
