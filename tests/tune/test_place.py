"""What a recipe's words for earlier stages stand for."""

from pathlib import Path

import pytest

from hornbook.core.errors import RecipeError
from hornbook.core.run import Run
from hornbook.tune.place import Place

PLACE = Place(Run(Path("run/second")), Path("base"), stages={"first": Path("run/first")})


def test_a_stage_is_named_and_everything_else_is_a_path() -> None:
    assert PLACE.file("stage:first") == Path("run/first/rows.jsonl")
    assert PLACE.model("stage:first") == Path("run/first/model")
    assert PLACE.file("my/rows.jsonl") == Path("my/rows.jsonl")
    assert PLACE.model("someone/model") == Path("someone/model")


@pytest.mark.parametrize("method", ["file", "model"])
def test_a_stage_that_is_not_before_this_one_is_refused(method: str) -> None:
    with pytest.raises(RecipeError, match="stage:third: no stage before this one is called 'third'; there is first"):
        getattr(PLACE, method)("stage:third")
