"""Every kind of stage keeps the contract of place.py, under a name that a recipe can write."""

import dataclasses
import typing

import pytest

from hornbook.core.recipe import tag
from hornbook.tune.place import Kept
from hornbook.tune.stages import Stage

KINDS = typing.get_args(Stage)


@pytest.mark.parametrize("kind", KINDS, ids=tag)
def test_a_stage_trains_or_makes_rows(kind: type) -> None:
    fields = {field.name for field in dataclasses.fields(kind)}
    assert "start" in fields
    assert callable(kind.files)  # type: ignore[attr-defined]
    if "train" in fields:
        assert kind.KEEPS in typing.get_args(Kept)  # type: ignore[attr-defined]
        assert callable(kind.job)  # type: ignore[attr-defined]
        assert callable(kind.score)  # type: ignore[attr-defined]
    else:
        assert callable(kind.make)  # type: ignore[attr-defined]


def test_names_are_told_apart() -> None:
    names = [tag(kind) for kind in KINDS]
    assert len(set(names)) == len(names)
    assert {"instruct", "prefer", "reward", "ppo", "grpo", "distill", "continue", "critique", "judge"} <= set(names)
