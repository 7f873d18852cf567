"""Every kind of task, and how one is found: by the name of a built-in, or by the path of the user's own file."""

from pathlib import Path

from hornbook.core import recipe
from hornbook.evaluate.choice import ContextChoice, ManyTrue, MultipleChoice
from hornbook.evaluate.code import Code
from hornbook.evaluate.exact_match import ExactMatch
from hornbook.evaluate.last_word import LastWord
from hornbook.evaluate.open_ended import OpenEnded
from hornbook.evaluate.truthful import Truthful

Task = Code | ContextChoice | ExactMatch | LastWord | ManyTrue | MultipleChoice | OpenEnded | Truthful
FOLDER = "evaluate"  # of recipes, where the built-in ones are


def load(name: str) -> Task:
    """A task: `arc_easy`, or `my/task.yaml`."""
    own = Path(name).suffix in (".yaml", ".yml") or Path(name).is_file()
    task: Task = recipe.load(Task, name if own else f"{FOLDER}/{name}")  # type: ignore[arg-type]  # a union
    return task
