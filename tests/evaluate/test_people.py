"""A judge beside people: who wins, scores, and ids or names that do not meet."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate.judgements import Rating, Ratings
from hornbook.evaluate.people import agreement_on_scores, agreement_on_winners, scores, winners
from hornbook.evaluate.task import Outcome


def file(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "ratings.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def wins(**by_id: float) -> list[Outcome]:
    return [Outcome(name, "", {"win": win}) for name, win in by_id.items()]


def rated(id: str, winner: str, rater: str = "eva", a: str = "m", b: str = "n") -> dict[str, str]:
    return {"id": id, "rater": rater, "a": a, "b": b, "winner": winner}


def test_the_majority_is_what_people_say(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        *(rated("1", "a", rater) for rater in ("eva", "jan", "kim")),
        *(rated("2", said, rater) for said, rater in (("b", "eva"), ("b", "jan"), ("a", "kim"))),
        rated("3", "a"),
        rated("3", "bad", "jan"),
        rated("4", "skip"),
    )
    people = winners(path, ("m", "n"))
    assert people == {"1": ["a", "a", "a"], "2": ["b", "b", "a"], "3": ["a", "tie"]}
    found = agreement_on_winners(wins(**{"1": 1.0, "2": 0.0, "3": 0.5, "9": 1.0}), people)
    assert (found["of"], found["same"]["value"], found["cohen"]) == (3, 1.0, 1.0)
    assert found["among_people"] is not None
    assert 0 < found["among_people"] < 1


def test_names_say_who_was_a(tmp_path: Path) -> None:
    path = file(tmp_path, rated("1", "a", a="n", b="m"), rated("2", "tie", a="n", b="m"), rated("3", "a", a="x"))
    assert winners(path, ("m", "n")) == {"1": ["b"], "2": ["tie"]}


def test_scores_are_compared_by_rank(tmp_path: Path) -> None:
    said = [("1", 2), ("2", 3), ("3", 5), ("3", 4), ("4", 1)]
    path = file(tmp_path, *({"id": id, "rater": f"r{n}", "score": score} for n, (id, score) in enumerate(said)))
    judged = [
        Outcome(name, "", {"score": score}) for name, score in (("1", 40.0), ("2", 60.0), ("3", 90.0), ("4", 5.0))
    ]
    found = agreement_on_scores(judged, scores(path, "m"))
    assert (found["of"], found["spearman"], found["kendall"]) == (4, pytest.approx(1), pytest.approx(1))


def test_the_rows_of_hornbooks_own_page(tmp_path: Path) -> None:
    """What was said again stands in the place of the older row, null takes it back, scales have their mean."""
    path = tmp_path / "ratings.jsonl"
    kept = Ratings(path)
    for id, said in (("1", "a"), ("2", "b"), ("1", "b"), ("2", None), ("3", "skip"), ("4", "bad")):
        kept.add(Rating(id=id, rater="eva", models=("m", "n"), said=said))
    assert winners(path, ("m", "n")) == {"1": ["b"], "4": ["tie"]}
    path = tmp_path / "scales.jsonl"
    for model, said in (("m", {"help": 4, "truth": 1}), ("n", {"help": 1, "truth": 1})):
        Ratings(path).add(Rating(id="1", rater="eva", models=(model,), said=said))
    assert scores(path, "m") == {"1": [2.5]}


def test_what_cannot_be_said_is_none_and_not_nan(tmp_path: Path) -> None:
    found = agreement_on_winners(wins(**{"1": 1.0}), winners(file(tmp_path, rated("1", "a")), ("m", "n")))
    assert found["cohen"] is None
    assert found["among_people"] is None
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [({"id": "1", "winner": "c"}, "winner is 'c', not one of a, b, tie"), ({"id": "1"}, "winner is None")],
)
def test_a_bad_row_is_one_sentence(row: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=sentence):
        winners(file(tmp_path, row), ("m", "n"))


def test_scores_must_be_numbers(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no number in `score`"):
        scores(file(tmp_path, rated("1", "a")), "m")


def test_ids_that_do_not_meet(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of their 1 ids is one of the answers'"):
        agreement_on_winners(wins(**{"2": 1.0}), winners(file(tmp_path, rated("1", "a")), ("m", "n")))
