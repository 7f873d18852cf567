"""Metrics by name: all that can be computed, and what a comparison says."""

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate.segments import Segments
from hornbook.evaluate.statistics import Difference
from hornbook.evaluate.text_metrics import compare, measure, per_segment, plain, sentence

WRITTEN = ["the cat sat on the mat", "no no no no no", "a dog ran", ""]
REFERENCES = [["a cat sat on a mat"], ["no, not now"], ["a dog ran"], ["something"]]


def test_all_that_can_be_computed() -> None:
    found = measure(Segments(WRITTEN, REFERENCES))
    assert list(found) == [
        *("bleu", "chrf", "rouge1", "rouge2", "rougeL", "exact", "f1"),
        *("distinct1", "distinct2", "duplicates", "rep2", "rep3", "rep4", "run", "lines"),
    ]
    scores = plain(found)
    assert all(each["signature"] and len(each["interval"]) == 2 and each["of"] == 4 for each in scores.values())
    assert scores["exact"]["value"] == 2 / 4  # articles do not count
    assert per_segment(found, 4)[2]["bleu"] == pytest.approx(100)
    assert "distinct1" not in per_segment(found, 4)[0]
    assert list(measure(Segments(WRITTEN))) == list(found)[7:]


def test_what_cannot_be_computed_is_told() -> None:
    with pytest.raises(UserError, match="'blue' is not known; take some of bleu, chrf"):
        measure(Segments(WRITTEN), ["blue"])
    with pytest.raises(UserError, match="bleu wants references"):
        measure(Segments(WRITTEN), ["bleu"])


def test_less_repetition_is_better() -> None:
    circles = measure(Segments(["no " * (5 + number % 3) for number in range(30)]), ["repetition"])
    prose = measure(Segments([f"the cat number {number} sat" for number in range(30)]), ["repetition"])
    differences = compare(circles, prose)
    said = sentence("rep2", differences["rep2"], ("circles", "prose"))
    assert said.startswith("prose is better than circles: -0.")
    nothing = Difference(0.1, (-0.1, 0.2), 0.4, "paired bootstrap", 30)
    assert sentence("bleu", nothing, ("a", "b")).startswith("no difference between a and b can be told")
    assert sentence("bleu", Difference(-2.0, (-3, -1), 0.01, "paired bootstrap", 30), ("a", "b")).startswith(
        "a is better"
    )
