"""Averages over a benchmark's subjects, as its authors publish them.

The score of a task is over all its questions, so large subjects weigh more (MMLU's authors average so: Hendrycks et al.
2021); the mean of the subjects' scores gives each the same weight (C-Eval's and CMMLU's). Both are given, of all
subjects and of each category, with intervals from questions drawn anew within every subject.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hornbook.evaluate.statistics import DRAWS, Mean, mean
from hornbook.evaluate.task import Outcome

Categories = Mapping[str, Sequence[str]]
BySubject = dict[str, dict[str, list[float]]]  # metric -> subject -> numbers


def averages(some: Sequence[Outcome], categories: Categories) -> dict[str, Any]:
    """{"subjects": {metric: the mean of subjects}, "categories": {name: {"questions": ..., "subjects": ...}}}.

    Nothing where there are no subjects; a category of which nothing was asked is left out. `of` is how many were asked:
    questions, or subjects.
    """
    numbers = _by_subject(some)
    if not any(len(each) > 1 for each in numbers.values()):
        return {}
    found: dict[str, Any] = {"subjects": _of_subjects(numbers)}
    parts = {name: _only(numbers, subjects) for name, subjects in categories.items()}
    if parts := {name: part for name, part in parts.items() if part}:
        found["categories"] = {
            name: {
                "questions": {metric: _pooled(each).plain() for metric, each in part.items()},
                "subjects": _of_subjects(part),
                "asked": [subject for subject in categories[name] if subject in next(iter(part.values()))],
                "has": len(categories[name]),
            }
            for name, part in parts.items()
        }
    return {"averages": found}


def _by_subject(some: Sequence[Outcome]) -> BySubject:
    numbers: BySubject = defaultdict(lambda: defaultdict(list))
    for outcome in some:
        if outcome.subject:
            for metric, number in outcome.metrics.items():
                numbers[metric][outcome.subject].append(number)
    return numbers


def _only(numbers: BySubject, subjects: Sequence[str]) -> BySubject:
    chosen = {
        metric: {subject: each[subject] for subject in subjects if subject in each} for metric, each in numbers.items()
    }
    return {metric: each for metric, each in chosen.items() if each}


def _pooled(subjects: Mapping[str, Sequence[float]]) -> Mean:
    return mean([number for each in subjects.values() for number in each])


def _of_subjects(numbers: BySubject) -> dict[str, dict[str, object]]:
    return {metric: mean_of_subjects(list(each.values())).plain() for metric, each in numbers.items()}


def mean_of_subjects(subjects: Sequence[Sequence[float]], *, seed: int = 0) -> Mean:
    """The mean of subjects' means; its error is that of the questions, the subjects are all there are.

    >>> mean_of_subjects([[1, 1, 1, 1], [0, 1]]).value
    0.75
    """
    generator, draws, variance = np.random.default_rng(seed), np.zeros(DRAWS), 0.0
    values = []
    for each in subjects:
        array = np.asarray(each, dtype=np.float64)
        values.append(float(array.mean()))
        variance += float(array.var(ddof=1)) / len(array) if len(array) > 1 else float("nan")
        draws += array[generator.integers(len(array), size=(DRAWS, len(array)))].mean(1)
    low, high = np.quantile(draws / len(values), (0.025, 0.975))
    error = variance**0.5 / len(values)
    return Mean(sum(values) / len(values), error, (float(low), float(high)), len(values))
