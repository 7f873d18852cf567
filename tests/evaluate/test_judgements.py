"""What raters say is appended and stays: undo is a row, a half line is passed over, what follows it is whole."""

import json
from pathlib import Path

import pytest

from hornbook.evaluate.judgements import Rating, Ratings


def rating(id: str = "1", said: object = "a", rater: str = "Ann") -> Rating:
    return Rating(id=id, rater=rater, models=("x", "y"), said=said, side="b", seconds=2.5, note="so")  # type: ignore[arg-type]


def test_what_is_written_is_read() -> None:
    one = Rating(id="p:2", rater="安", models=("x",), said={"helpful": 4}, seconds=1.0)
    for each in (rating(), rating(said="bad"), rating(said=None), rating(said="skip"), one):
        assert Rating.of(json.loads(json.dumps(each.row()))) == each


def test_every_judgement_is_a_line_and_nothing_is_taken_out(tmp_path: Path) -> None:
    ratings = Ratings(tmp_path / "new" / "ratings.jsonl")
    for id, said in (("1", "a"), ("2", "skip"), ("1", "tie")):
        ratings.add(rating(id, said))
    assert len(ratings.path.read_text().splitlines()) == 3
    assert [each.said for each in ratings.judgements()] == ["tie"]
    again = Ratings(ratings.path)
    assert again.standing == ratings.standing
    assert again.broken == []


def test_undo_takes_back_the_newest_of_a_rater(tmp_path: Path) -> None:
    ratings = Ratings(tmp_path / "r.jsonl")
    ratings.add(rating("1", "a"))
    ratings.add(rating("2", "b"))
    ratings.add(rating("1", "b", rater="Bo"))
    back = ratings.take_back("Ann")
    assert back is not None
    assert back.id == "2"
    assert [(each.rater, each.id) for each in Ratings(ratings.path).judgements()] == [("Ann", "1"), ("Bo", "1")]
    ratings.take_back("Ann")
    assert ratings.take_back("Ann") is None
    assert len(ratings.path.read_text().splitlines()) == 5


def test_a_half_written_line_is_passed_over_and_the_next_one_stands_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    ratings = Ratings(path)
    ratings.add(rating("1"))
    path.write_bytes(path.read_bytes() + '{"id": "2", "rater": "A安'.encode()[:-1])
    cut = Ratings(path)
    assert cut.broken == [2]
    cut.add(rating("3"))
    after = Ratings(path)
    assert [each.id for each in after.judgements()] == ["1", "3"]
    assert after.broken == [2]


@pytest.mark.parametrize(
    "row",
    [
        "17",
        '{"id": "1"}',
        '{"id": "1", "rater": "A", "a": "x", "b": "y", "winner": "c"}',
        '{"id": "1", "rater": "A", "model": "x", "scores": "a"}',
        '{"id": "1", "rater": "A", "model": "x", "scores": {"helpful": "4"}}',
        '{"id": "1", "rater": "A", "a": "x", "b": "y", "winner": "a", "seconds": NaN}',
        '{"id": "1", "rater": "A", "a": "x", "b": "y", "winner": ["a"]}',
    ],
)
def test_what_is_no_judgement_is_named_by_its_line(tmp_path: Path, row: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(f"{json.dumps(rating().row())}\n{row}\n")
    assert Ratings(path).broken == [2]
