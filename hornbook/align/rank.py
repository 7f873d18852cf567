"""Several answers to the same question, and which of them is given: Sparrow's reranking and LaMDA's filter and rank.

Sparrow (Glaese et al. 2022, arXiv 2209.14375, reranking): preference times rules,

    score(s) = sigmoid(r(s) - mean r) * (product over rules of (1 - P(s breaks the rule))) ^ (1 / rules)

with r a reward model's number and its mean that of the answers it was trained on. LaMDA (Thoppilan
et al. 2022, arXiv 2201.08239, section 6.1): answers below a threshold of safety are taken out, the others ranked by
3 * P(sensible) + P(specific) + P(interesting).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hornbook.align import rules as rules_files
from hornbook.align.score import Classifier, Question, Score, breaks, preference
from hornbook.align.speaker import Speaker, Talk
from hornbook.align.words import Words
from hornbook.core.errors import RecipeError

WEIGHTS = {"sensible": 3.0, "specific": 1.0, "interesting": 1.0}  # LaMDA, section 6.1
SAFE = "safe"


@dataclass(frozen=True)
class Candidate:
    """An answer with what it was given for."""

    text: str
    score: float
    marks: dict[str, float]
    """By rule (probability that it is broken) or by quality, and `preference`."""
    kept: bool = True
    """Whether it may be given at all."""


@dataclass(frozen=True, kw_only=True)
class Sparrow:
    """Preference times rules."""

    rules: str
    """A rules file, or a built-in name such as rules/english."""
    samples: int = 8
    prefer: str | None = None
    """A reward model's folder; None: all answers are liked alike, and the rules decide."""
    classifiers: dict[str, Classifier] = field(default_factory=dict)
    """For rules that have one of their own; the others are checked, or the model is asked their question."""

    def build(self, judge: Speaker) -> "RuleRanker":
        """Load what it asks."""
        rules = rules_files.load(self.rules)
        known = [rule.name for rule in rules.rules]
        for name in self.classifiers:
            if name not in known:
                raise RecipeError(f"classifiers: {name!r} is no rule of {self.rules}, which has {', '.join(known)}")
        scores = {rule.name: breaks(rule, judge, rules.words, self.classifiers.get(rule.name)) for rule in rules.rules}
        return RuleRanker(scores, preference(self.prefer) if self.prefer else None)


@dataclass(frozen=True)
class RuleRanker:
    """Sparrow's."""

    rules: Mapping[str, Score]
    prefer: Score | None = None

    def rank(self, talk: Talk, answers: Sequence[str]) -> list[Candidate]:
        """The answers, the best first."""
        broken = {name: score(talk, answers) for name, score in self.rules.items()}
        liked = self.prefer(talk, answers) if self.prefer else [0.0] * len(answers)
        found = []
        for number, text in enumerate(answers):
            marks = {name: shares[number] for name, shares in broken.items()}
            kept = math.prod(1 - share for share in marks.values()) ** (1 / max(len(marks), 1))
            score = _sigmoid(liked[number]) * kept
            found.append(Candidate(text, score, {**marks, "preference": liked[number]}))
        return sorted(found, key=lambda each: -each.score)


@dataclass(frozen=True, kw_only=True)
class Lamda:
    """Qualities and safety."""

    samples: int = 16
    """The paper's."""
    safe: Classifier | Question
    sensible: Classifier | Question
    specific: Classifier | Question
    interesting: Classifier | Question
    safe_at_least: float = 0.5
    """An answer that is less likely to be safe is taken out."""

    def __post_init__(self) -> None:
        if not 0 <= self.safe_at_least < 1:
            raise ValueError(f"safe_at_least: {self.safe_at_least} is no probability; give a number from 0 to below 1")

    def build(self, judge: Speaker) -> "QualityRanker":
        """Load what it asks."""
        words = Words()
        asked = {name: getattr(self, name) for name in (SAFE, *WEIGHTS)}
        scores = {
            name: each.build(words) if isinstance(each, Classifier) else each.build(judge, words)
            for name, each in asked.items()
        }
        return QualityRanker(scores, self.safe_at_least)


@dataclass(frozen=True)
class QualityRanker:
    """LaMDA's."""

    qualities: Mapping[str, Score]
    safe_at_least: float

    def rank(self, talk: Talk, answers: Sequence[str]) -> list[Candidate]:
        """The answers, those that are safe first, the best of them first."""
        marks = {name: score(talk, answers) for name, score in self.qualities.items()}
        found = []
        for number, text in enumerate(answers):
            here = {name: shares[number] for name, shares in marks.items()}
            score = sum(weight * here[name] for name, weight in WEIGHTS.items())
            found.append(Candidate(text, score, here, kept=here[SAFE] >= self.safe_at_least))
        return sorted(found, key=lambda each: (not each.kept, -each.score))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
