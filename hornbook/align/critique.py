"""An answer, what is wrong with it by a rule, and a better one, as often as wanted: phase 1 of Constitutional AI.

Bai et al. 2022 (arXiv 2212.08073), section 3.1: the model's own answer is followed by a request for a critique, drawn
from the rules, and by a request for a revision; the revision takes the answer's place and the next rule is drawn. What
is learned later is the answer to the first question alone. Worked examples before it all show a model without a chat
template what is asked of it.
"""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hornbook.align.rules import Rule, Rules, Shot
from hornbook.align.speaker import Speaker, Talk
from hornbook.align.transcript import Message, messages_of
from hornbook.align.words import Words
from hornbook.corpus.synthetic import Sampling

STRIDE = 1_000_003  # between the seeds of two questions about the same prompt: a prime above any number of prompts


@dataclass(frozen=True)
class Step:
    """One rule's critique and what came of it."""

    rule: str
    critique: str
    revision: str


@dataclass
class Revised:
    """A prompt and how the answer to it became better."""

    prompt: Talk
    draft: str
    steps: list[Step] = field(default_factory=list)
    fault: str | None = None
    """Why it is of no use: something that was asked brought nothing."""

    @property
    def answer(self) -> str:
        """As it is now."""
        return self.steps[-1].revision if self.steps else self.draft

    def row(self) -> dict[str, Any]:
        """As a conversation, with all that led to it."""
        made = {"method": "critique", "draft": self.draft, "steps": [asdict(step) for step in self.steps]}
        return {"messages": [*self.prompt, {"role": "assistant", "content": self.answer}], "provenance": made}


@dataclass(frozen=True)
class Critic:
    """Asks a model to better its own answers."""

    speaker: Speaker
    rules: Rules
    sampling: Sampling
    """Its seed is the run's: what is drawn for a prompt depends on it and the prompt's number alone."""
    rounds: int = 1
    shots: int = 0
    """Worked examples of the rules file that stand before each question."""

    def revise(self, prompts: Sequence[Talk], first: int) -> list[Revised]:
        """Answers and their revisions; `first` is the number of the first prompt."""
        drafts = self.speaker.answers(prompts, self._sampling(first, 0))
        found = [
            Revised(prompt, draft or "", fault=None if draft else "no answer")
            for prompt, draft in zip(prompts, drafts, strict=True)
        ]
        for number in range(self.rounds):
            self._better(found, first, number)
        return found

    def _better(self, found: list[Revised], first: int, round_: int) -> None:
        """One critique and revision of every answer."""
        rules = self.rules.that_have("critique")
        draws = [random.Random(f"{self.sampling.seed} {first + i} {round_}") for i in range(len(found))]
        drawn = [draw.choice(rules) for draw in draws]
        words, shots = self.rules.words, self._shots()
        talks = [[*shots, *criticism(each, rule, words)] for each, rule in zip(found, drawn, strict=True)]
        critiques = self.speaker.answers(talks, self._sampling(first, 2 * round_ + 1), voice=words.critique)
        for talk, rule, critique in zip(talks, drawn, critiques, strict=True):
            talk += repair(rule, critique or "-", words)
        revisions = self.speaker.answers(talks, self._sampling(first, 2 * round_ + 2), voice=words.revision)
        for each, rule, critique, revision in zip(found, drawn, critiques, revisions, strict=True):
            if not critique or not revision:
                each.fault = each.fault or ("no critique" if not critique else "no revision")
            else:
                each.steps.append(Step(rule.name, critique, revision))

    def _sampling(self, first: int, question: int) -> Sampling:
        return replace(self.sampling, seed=self.sampling.seed + STRIDE * question + first)

    def _shots(self) -> list[Message]:
        words = self.rules.words
        return [message for shot in self.rules.shots[: self.shots] for message in shown(shot, words)]


def criticism(answered: Revised, rule: Rule, words: Words) -> list[Message]:
    """The conversation, its answer, and what is wrong with it?"""
    assert rule.critique is not None
    answer = {"role": "assistant", "content": answered.answer or "-"}
    return [*answered.prompt, answer, {"role": "user", "name": words.critique_request, "content": rule.critique}]


def repair(rule: Rule, critique: str, words: Words) -> list[Message]:
    """The critique, and how should the answer have been?"""
    assert rule.revision is not None
    said = {"role": "assistant", "name": words.critique, "content": critique}
    return [said, {"role": "user", "name": words.revision_request, "content": rule.revision}]


def shown(shot: Shot, words: Words) -> list[Message]:
    """A worked example as messages."""
    rule = Rule(name="shot", critique=shot.critique_request, revision=shot.revision_request)
    begun = criticism(Revised(messages_of(shot.prompt), shot.answer), rule, words)
    done = {"role": "assistant", "name": words.revision, "content": shot.revision}
    return [*begun, *repair(rule, shot.critique, words), done]
