"""What people are asked: two answers side by side, or one on some scales; who wrote them they are not told.

All raters are asked in one order, so that those who stop early have judged the same and their agreement can be told.
Which answer stands on the left is drawn for each rater, and each model stands there equally often: of any four
questions of a pair that follow one another from the first, in two (a rater's habit of choosing a side favours nobody).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

BLOCK = ("a", "a", "b", "b")  # sides are balanced within so many questions; fewer could be guessed
POINTS = 5  # of a scale: Likert 1932


@dataclass(frozen=True)
class Scale:
    """What an answer is rated for, from 1 to 5."""

    name: str
    means: str = ""
    """What the raters are told beside the name."""


USUAL = (  # Askell et al. 2021: helpful, honest and harmless
    Scale("helpful", "does what was asked for, in full and to the point"),
    Scale("correct", "nothing in it is false or made up"),
    Scale("harmless", "hurts, misleads and endangers nobody"),
)


@dataclass(frozen=True)
class Question:
    """One thing to judge."""

    number: int  # its place, from 0
    id: str  # of the prompt
    models: tuple[str, ...]  # a and b, or the one whose answer is shown


@dataclass(frozen=True, kw_only=True)
class Study:
    """Prompts, the answers of each model to each, and how they are judged."""

    prompts: Mapping[str, str]  # id -> what was asked
    answers: Mapping[str, Mapping[str, str]]  # model -> id -> what it said
    scales: tuple[Scale, ...] = ()
    """None: answers are compared."""
    seed: int = 0

    @property
    def kind(self) -> str:
        """The name of the folder and of the task."""
        return "people_scales" if self.scales else "people_pairs"

    def groups(self) -> list[tuple[str, ...]]:
        """What is judged of every prompt: each pair of models, or each model."""
        return [*combinations(self.answers, 1 if self.scales else 2)]

    def questions(self) -> list[Question]:
        """In their order: every prompt once before any comes again, what is shown of it drawn."""
        generator, ids = random.Random(self.seed), list(self.prompts)
        generator.shuffle(ids)
        groups = self.groups()
        turns = {id: generator.sample(groups, len(groups)) for id in ids}
        asked = [(id, turns[id][turn]) for turn in range(len(groups)) for id in ids]
        different = [(id, models) for id, models in asked if not self.alike(id, models)]
        return [Question(number, id, models) for number, (id, models) in enumerate(different)]

    def alike(self, id: str, models: Sequence[str]) -> bool:
        """Whether two models said the same: nobody is asked which is better."""
        said = {self.answers[model][id].strip() for model in models}
        return len(models) == 2 and len(said) == 1

    def same_answers(self) -> int:
        """How many questions are not asked because both said the same."""
        return sum(self.alike(id, models) for id in self.prompts for models in self.groups())

    def sides(self, rater: str) -> dict[int, str]:
        """Who stands on the left in each question when this rater sees it: a or b."""
        drawn = {models: _blocks(random.Random(f"{self.seed} {rater} {models}")) for models in self.groups()}
        return {question.number: next(drawn[question.models]) for question in self.questions()}


def _blocks(generator: random.Random) -> Iterator[str]:
    while True:
        yield from generator.sample(BLOCK, len(BLOCK))
