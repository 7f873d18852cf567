"""What an answer is given as a number between 0 and 1: by a check, by a classifier, or by asking a judge a question.

The parts that rank answers (rank.py) do not care which: a rule of Sparrow's, a quality of LaMDA's, each is a `Score`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from hornbook.align import judge as judging
from hornbook.align.rules import Rule
from hornbook.align.speaker import Speaker, Talk
from hornbook.align.transcript import last_user, transcript
from hornbook.align.words import Words
from hornbook.core.errors import RecipeError, UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.reward import RewardModel
from hornbook.model.classifier import SequenceClassifier

Score = Callable[[Talk, Sequence[str]], list[float]]
"""(conversation, answers to it) -> a number for each."""

UNKNOWN = 0.5  # where a judge said nothing


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A model that `classify` trained on transcripts, as the stage `check` writes them."""

    model: str
    """Its folder."""
    label: str = "yes"
    """The label whose probability is taken."""

    def build(self, words: Words) -> Score:
        """Load it."""
        lm = LanguageModel.load(self.model)
        head = getattr(lm.module.config, "head", None)
        if not isinstance(head, SequenceClassifier):
            raise UserError(f"{self.model}: is no classifier of texts; train one with a stage of type classify")
        if self.label not in head.names:
            raise RecipeError(f"label: {self.label!r} is none of {', '.join(head.names)}, which {self.model} knows")
        number = head.names.index(self.label)

        def score(talk: Talk, answers: Sequence[str]) -> list[float]:
            texts = [transcript([*talk, {"role": "assistant", "content": said}], words).strip() for said in answers]
            return [float(_row(lm, lm.ids(text)).softmax(-1)[number]) for text in texts]

        return score


@dataclass(frozen=True, kw_only=True)
class Question:
    """A judge is asked, and the probability of yes taken."""

    question: str

    def build(self, judge: Speaker, words: Words) -> Score:
        """For a judge."""

        def score(talk: Talk, answers: Sequence[str]) -> list[float]:
            found = judging.yes(judge, [(talk, said) for said in answers], self.question, words)
            return [UNKNOWN if share is None else share for share in found]

        return score


def breaks(rule: Rule, judge: Speaker, words: Words, classifier: Classifier | None = None) -> Score:
    """The probability that an answer breaks a rule: by its classifier, its own check, or its question to the judge."""
    if classifier is not None:
        return classifier.build(words)
    if rule.checkable:
        return lambda talk, answers: [float(rule.broken(last_user(talk), said)) for said in answers]
    if rule.question is None:
        raise RecipeError(f"rule {rule.name}: nothing says whether it is broken; give a pattern, function or question")
    return Question(question=rule.question).build(judge, words)


def preference(model: str) -> Score:
    """A reward model's number for each answer, 0 for a usual one: no probability."""
    rewarder = RewardModel.load(model)

    def score(talk: Talk, answers: Sequence[str]) -> list[float]:
        plain = [{"role": each["role"], "content": each["content"]} for each in talk]
        numbers: list[float] = rewarder.scores(
            [[*plain, {"role": "assistant", "content": a}] for a in answers]
        ).tolist()
        return numbers

    return score


@torch.inference_mode()
def _row(lm: LanguageModel, ids: list[int]) -> torch.Tensor:
    """The scores of one text, (labels,); of a text longer than the model reads, its end."""
    longest = lm.module.config.length
    kept = ids if longest is None or len(ids) <= longest else ids[-longest:]
    device = next(lm.module.parameters()).device
    scores: torch.Tensor = lm.module(input_ids=torch.tensor([kept], device=device)).logits[0].float().cpu()
    return scores
