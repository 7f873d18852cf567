"""The numbers of a study: by hand, in results.json beside other scores, and fit for JSON."""

import json
import math
from pathlib import Path

import pytest

from hornbook.evaluate import evaluation
from hornbook.evaluate.interval import wilson
from hornbook.evaluate.judgements import Rating
from hornbook.evaluate.study import Scale
from hornbook.evaluate.task import Outcome
from hornbook.human_summary import clean, print_summary, remarks, summary, write_scores
from tests.people import NAMES, study, votes


def test_pairs_by_hand() -> None:
    """3 wins, a loss and a tie: 3.5 of 5; strengths with one tie more, 4 : 2."""
    found = summary(study(), votes("aaabt"))
    first, second = found["models"]
    assert (first["name"], first["win_rate"]["value"], second["win_rate"]["value"]) == (
        NAMES[0],
        0.7,
        pytest.approx(0.3),
    )
    assert first["win_rate"]["interval"] == [*wilson(3.5, 5)]
    assert first["strength"]["value"] == pytest.approx(math.log(4 / 2) / 2)
    assert first["strength"]["elo"] + second["strength"]["elo"] == pytest.approx(2000)
    (pair,) = found["pairs"]
    assert (pair["counts"], pair["prompts"]) == ({"a": 3, "b": 1, "tie": 1, "bad": 0}, 5)
    assert pair["chance"] == pytest.approx(10 / 16)
    assert found["left"]["value"] == 0.75
    json.dumps(found, allow_nan=False)


def test_marks_by_hand() -> None:
    scales = (Scale("good"), Scale("true"))
    ratings = [
        Rating(id=id, rater="Ann", models=(name,), said={"good": good, "true": 3})
        for name, numbers in zip(NAMES, ((5, 4, 5, 5, 4), (2, 1, 2, 3, 2)), strict=True)
        for id, good in enumerate(map(int, numbers), 1)
        for id in [str(id)]
    ]
    found = summary(study(scales=scales), ratings)
    assert [each["scales"]["good"]["value"] for each in found["models"]] == [4.6, 2.0]
    assert "zebra-7b is better than tiger-8b by 2.600" in found["differences"][0]["sentence"]
    assert "no difference" in found["differences"][1]["sentence"]
    json.dumps(found, allow_nan=False)


def test_nobody_yet(capsys: pytest.CaptureFixture[str]) -> None:
    for scales in ((), (Scale("good"),)):
        found = summary(study(scales=scales), [])
        json.dumps(found, allow_nan=False)
        print_summary(found)
    assert capsys.readouterr().out == "nobody has judged anything yet\n" * 2


def test_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summary(study(), votes("bbbbb", ("Ann", "Bo"))))
    said = capsys.readouterr().out
    assert said.index("tiger-8b   1.000 (0.57 to 1.00)") < said.index("zebra-7b   0.000")
    assert (
        "no difference between zebra-7b and tiger-8b can be told: zebra-7b wins 0.000 (0.000 to 0.434; p 0.062" in said
    )
    assert "10 judgements of 5 prompts: Ann 5 (4 s each), Bo 5 (4 s each)" in said


def test_remarks() -> None:
    lines = remarks(summary(study(), [*votes("aabb", ("Ann",)), *votes("aaba", ("Bo",))]))
    assert (
        "agreement on verdicts: the same in 75% of pairs of judgements, Cohen's kappa of Ann and Bo 0.50 (4)"
        in lines[1]
    )
    assert len(lines) == 2
    lopsided = remarks(summary(study(), votes("aaaaa", ("Ann", "Bo"))))
    assert lopsided[-1] == "the side matters to the raters: the left answer won 1.00 (0.72 to 1.00)"


def test_scores_stand_beside_the_benchmarks(tmp_path: Path) -> None:
    evaluation.write(tmp_path / NAMES[0], "arc", [Outcome("1", "", {"acc": 1.0})], about={"model": "runs/zebra"})
    write_scores(study(), votes("aabt"), tmp_path, dict(zip(NAMES, ("z", "t"), strict=True)))
    first, second = (evaluation.read(tmp_path / name) for name in NAMES)
    assert {*first["tasks"]} == {"arc", "people_pairs"}
    assert (first["about"], second["about"]) == ({"model": "runs/zebra"}, {"model": "t"})
    rate = second["tasks"]["people_pairs"]["win_rate"]
    assert (rate["value"], rate["of"], rate["interval"]) == (0.375, 4, pytest.approx([*wilson(1.5, 4)]))
    one = evaluation.read_items(tmp_path / NAMES[1], "people_pairs")[0]
    assert (one.id, one.metrics, one.detail["written"]) == ("1", {"win_rate": 0.0}, "Claws say 1.")
    assert one.detail["ratings"][0]["rater"] == "Ann"


def test_marks_stand_there_too(tmp_path: Path) -> None:
    ratings = [Rating(id=id, rater="A", models=NAMES[:1], said={"good": n}) for id, n in (("1", 5), ("2", 2))]
    write_scores(study(scales=(Scale("good"),)), ratings, tmp_path, dict.fromkeys(NAMES, "m"))
    assert evaluation.read(tmp_path / NAMES[0])["tasks"]["people_scales"]["good"]["value"] == 3.5
    assert not (tmp_path / NAMES[1]).exists()


def test_json_has_no_nan() -> None:
    assert clean({"a": (math.nan, 1.0), "b": [math.inf, "x"]}) == {"a": [None, 1.0], "b": [None, "x"]}
