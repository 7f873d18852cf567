"""A benchmark's first questions, asked while a model learns (`evaluate_every` in a recipe): the same every time."""

from collections.abc import Callable
from pathlib import Path

import torch

from hornbook.core.errors import UserError
from hornbook.core.run import Row
from hornbook.evaluate import evaluation, tasks
from hornbook.evaluate.scorer import Scorer
from hornbook.generate.language_model import LanguageModel
from hornbook.train.config import Questions

USUAL = ("acc_norm", "mc2", "acc")  # the metric that stands for a task: the first of these that it has


def asking(questions: Questions, lm: LanguageModel | None) -> Callable[[], dict[str, Row]]:
    """What asks the model as it is now: {task: {metric, value, standard_error, interval, of}}. Reads the questions."""
    if lm is None:
        raise UserError("train.questions: the stage makes no model that goes on with a text; leave them out")
    folder = Path(questions.data)
    if not folder.is_dir():
        raise UserError(f"train.questions.data: {folder} is no folder; name the one with the benchmarks' files")
    known = {Path(name).stem: tasks.load(name) for name in questions.tasks}
    asked = {name: list(task.items(folder, limit=questions.limit)) for name, task in known.items()}

    def ask() -> dict[str, Row]:
        found: dict[str, Row] = {}
        for name, task in known.items():
            with torch.compiler.set_stance("force_eager"):  # every length of a question would be compiled anew
                scores = evaluation.scores(evaluation.outcomes(Scorer(lm), task, asked[name]))
            metric = next((each for each in USUAL if each in scores), next(iter(scores)))
            found[name] = {"metric": metric, **scores[metric]}
        return found

    return ask
