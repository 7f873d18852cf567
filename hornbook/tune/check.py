"""The stage `check`: a model answers prompts, and the rules say which answers break them, how often, with intervals.

Rules with a pattern or a function need no opinion; of the others the judge answers their question (Glaese et al. 2022
asked raters). rows.jsonl has a row for each answer, with `text`, the conversation as a transcript, and for each rule
`breaks_NAME`, yes or no: rated rows from which `classify` learns a classifier for the rule. With an assistant (its
search, tools, ranking) it is the assistant that answers, so what an assistant's parts are worth can be read off two
checks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.align import judge as judging
from hornbook.align import rules as rules_files
from hornbook.align.asking import JOURNAL, ask_all, write_rows
from hornbook.align.assistant import Assistant
from hornbook.align.critique import STRIDE
from hornbook.align.rules import Rule, Rules
from hornbook.align.speaker import Manner, Speaker, Talk, speaker
from hornbook.align.transcript import last_user, transcript
from hornbook.core import recipe as recipes
from hornbook.core.errors import RecipeError
from hornbook.core.files import write_json
from hornbook.data.conversations import Prompts
from hornbook.generate.endpoint import Endpoint
from hornbook.tune.broken import Part, asked_of, files_of, model_of, share
from hornbook.tune.place import Place

Row = dict[str, Any]
YES = 0.5  # a judge's probability from which an answer counts as breaking a rule


@dataclass(frozen=True, kw_only=True)
class Check:
    """Counts how often a model breaks rules."""

    rules: str
    """A rules file, or a built-in name such as rules/english."""
    prompts: Prompts | None = None
    """None: those of the rules' own examples."""
    part: Part = "validation"
    """Which prompts are answered."""
    samples: int = 1
    """Answers to each."""
    assistant: str | None = None
    """A file that puts parts around the model (align/assistant.py), whose answers are then checked."""
    model: str | Endpoint | None = None
    """Who answers, if not the model the stage starts from: a path, `stage:NAME`, or an endpoint."""
    judge: str | Endpoint | None = None
    """Who answers the questions of rules that have no pattern and no function; None: those are left out."""
    manner: Manner = field(default_factory=Manner)
    start: str | None = None

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples: {self.samples} answer nothing; give 1 or more")

    def files(self, place: Place) -> list[Path]:
        """Its prompts, its rules, its assistant."""
        more = [] if self.assistant is None else [recipes.find(self.assistant)]
        return [*files_of(self.prompts, self.rules, place), *more]

    def make(self, place: Place) -> None:
        """Ask, check, write rows.jsonl and ledger.json."""
        rules = rules_files.load(self.rules)
        asked = asked_of(self.prompts, self.part, place, rules)
        answers = self._answers(speaker(model_of(self.model, place), rules.words))
        judge = None if self.judge is None else speaker(model_of(self.judge, place), rules.words)
        rater = Rater(rules, judge)

        def answer(some: Sequence[Row], first: int) -> list[Row]:
            rows = []
            for sample in range(self.samples):
                talks = [row["prompt"] for row in some]
                rated = rater.rate(talks, answers(talks, place.seed + STRIDE * sample + first))
                rows += [{**row, "source": prompt["id"]} for row, prompt in zip(rated, some, strict=True)]
            return rows

        journal = place.run.folder / JOURNAL
        told = ask_all(asked, answer, journal, progress=lambda done: place.note(f"{done:,}/{len(asked):,} prompts"))
        self._finish(place, rater, list(told))

    def _answers(self, writer: Speaker) -> Callable[[Sequence[Talk], int], list[str]]:
        """Who answers conversations, by a seed: the model, or the assistant made of it."""
        if self.assistant is None:
            return lambda talks, seed: [text or "" for text in writer.answers(talks, self.manner.sampling(seed))]
        assisted = recipes.load(Assistant, self.assistant).build(writer)
        return lambda talks, seed: [assisted.reply(talk, seed + 1000 * i).text for i, talk in enumerate(talks)]

    def _finish(self, place: Place, rater: "Rater", rows: list[Row]) -> None:
        write_rows(place.run.rows, rows)
        broken = {rule.name: share(sum(row[column(rule)] == "yes" for row in rows), len(rows)) for rule in rater.asked}
        broken["any"] = share(sum(any(row[column(rule)] == "yes" for rule in rater.asked) for row in rows), len(rows))
        write_json(place.run.folder / "ledger.json", {"answers": len(rows), "broken": broken})
        for name, found in broken.items():
            low, high = found["interval"]
            place.note(f"{name} broken by {found['value']:.1%} ({low:.1%} to {high:.1%}) of {len(rows):,} answers")


@dataclass(frozen=True)
class Rater:
    """Says which rules an answer breaks: by their checks, or by asking a judge."""

    rules: Rules
    judge: Speaker | None = None

    def __post_init__(self) -> None:
        if not self.asked:
            raise RecipeError(
                "rules: none has a pattern or a function, and there is no judge; write a pattern, or name a judge"
            )

    @property
    def asked(self) -> tuple[Rule, ...]:
        """The rules that it can say something about."""
        return tuple(
            rule
            for rule in self.rules.rules
            if rule.checkable or (self.judge is not None and rule.question is not None)
        )

    def rate(self, talks: Sequence[Any], answers: Sequence[str]) -> list[Row]:
        """A row for each answer: the text, and `breaks_NAME` for each rule."""
        rows = [
            {
                "text": transcript([*talk, {"role": "assistant", "content": said}], self.rules.words).strip(),
                "prompt": talk,
                "answer": said,
            }
            for talk, said in zip(talks, answers, strict=True)
        ]
        for rule in self.asked:
            for row, broken in zip(rows, self._broken(rule, talks, answers), strict=True):
                row[column(rule)] = "yes" if broken else "no"
        return rows

    def _broken(self, rule: Rule, talks: Sequence[Any], answers: Sequence[str]) -> list[bool]:
        if rule.checkable:
            return [rule.broken(last_user(talk), said) for talk, said in zip(talks, answers, strict=True)]
        assert self.judge is not None
        found = judging.broken(self.judge, list(zip(talks, answers, strict=True)), rule, self.rules.words)
        return [share is not None and share >= YES for share in found]


def column(rule: Rule) -> str:
    """Where a rated row says whether a rule is broken."""
    return f"breaks_{rule.name}"
