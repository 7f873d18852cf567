"""Questions are told apart by what they ask, so that answers can be kept."""

import dataclasses

import pytest

from hornbook.evaluate.request import Continuation, Rolling, Until


def test_the_same_question_is_the_same() -> None:
    assert {Continuation("a", "b"), Continuation("a", "b"), Rolling("a"), Until("a"), Until("a", ("x",))} == {
        Until("a", ("x",)), Until("a"), Rolling("a"), Continuation("a", "b"),
    }  # fmt: skip


def test_a_question_cannot_be_changed_once_it_is_asked() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Rolling("a").text = "b"  # type: ignore[misc]
