"""Reliability by hand."""

import random

import pytest

from hornbook.evaluate.calibration import calibration_error, reliability


def test_bins_by_hand() -> None:
    diagram = reliability([0.55, 0.65, 0.95, 1.0], [True, False, True, True], bins=5, low=0.5)
    assert [(each["of"], each["right"]) for each in diagram] == [(1, 1.0), (1, 0.0), (2, 1.0)]
    assert [each["predicted"] for each in diagram] == pytest.approx([0.55, 0.65, 0.975])
    assert calibration_error(diagram) == pytest.approx((0.45 + 0.65 + 2 * 0.025) / 4)
    assert all(each["interval"][0] <= each["right"] <= each["interval"][1] for each in diagram)


def test_who_is_right_as_often_as_said_has_no_error() -> None:
    draw = random.Random(0)
    said = [draw.uniform(0.5, 1) for _ in range(20_000)]
    honest = reliability(said, [draw.random() < p for p in said], low=0.5)
    boastful = reliability(said, [draw.random() < 0.5 for _ in said], low=0.5)
    assert calibration_error(honest) < 0.02
    assert calibration_error(boastful) == pytest.approx(0.25, abs=0.02)


def test_nothing_predicted_is_no_error() -> None:
    assert reliability([], []) == []
    assert calibration_error([]) == 0
