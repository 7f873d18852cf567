"""A user's own Python function, named in a recipe as `file.py:name`: a reward, or a check of a rule."""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hornbook.core.errors import RecipeError


@cache
def function(place: str, what: str) -> Callable[..., Any]:
    """The function `file.py:name`; runs the file. `what` is the field of the recipe that names it, for the errors."""
    file, _, name = place.rpartition(":")
    if not name or not Path(file).is_file():
        raise RecipeError(f"{what}: {place} is no function of a file that is there; write it like my_file.py:name")
    spec = importlib.util.spec_from_file_location(f"{what}_{Path(file).stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(found):
        raise RecipeError(f"{what}: {file} has no function {name!r}; write it there, or name another")
    return found
