"""Every kind of judge, and how one is found: by the name of a built-in (`recipes/judges/`), or a file of the user's."""

from pathlib import Path

from hornbook.core import recipe
from hornbook.evaluate.grade import Rubric, Score
from hornbook.evaluate.pairwise import Pairwise
from hornbook.evaluate.preference import Preference
from hornbook.evaluate.truth import Truth

Judge = Pairwise | Preference | Rubric | Score | Truth
FOLDER = "judges"  # of recipes


def load(name: str) -> Judge:
    """A judge: `score`, or `my/judge.yaml`."""
    own = Path(name).suffix in (".yaml", ".yml") or Path(name).is_file()
    judge: Judge = recipe.load(Judge, name if own else f"{FOLDER}/{name}")  # type: ignore[arg-type]  # a union
    return judge
