"""The stage `critique`: a model betters its own answers by the rules; what it ends with is learned by a later stage.

Bai et al. 2022 (arXiv 2212.08073), section 3: rows.jsonl holds conversations for `instruct`, each with its draft,
critiques and revisions in `provenance`. Helpful conversations may be mixed in, so that the model does not learn that
every answer is an evasion (section 3.2). The ledger counts how often the rules that need no model are broken before
and after each revision.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.align import rules as rules_files
from hornbook.align.asking import JOURNAL, ask_all, write_rows
from hornbook.align.critique import Critic, Revised, Step
from hornbook.align.rules import Rules
from hornbook.align.speaker import Manner, speaker
from hornbook.align.transcript import last_user
from hornbook.core.files import write_json
from hornbook.data.conversations import Conversations, Prompts
from hornbook.generate.endpoint import Endpoint
from hornbook.tune.broken import Part, asked_of, files_of, model_of, shares
from hornbook.tune.place import Place

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Include:
    """Conversations that are mixed in as they are."""

    data: Conversations
    share: float = 0.5
    """Of all rows in the end; fewer where there are not so many."""

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share: {self.share} is no share of the rows; give a number between 0 and 1, such as 0.5")


@dataclass(frozen=True, kw_only=True)
class Critique:
    """Makes rows of what a model answers once it has criticised itself."""

    rules: str
    """A rules file, a built-in name such as rules/english, or the folder of Bai et al.'s prompts."""
    prompts: Prompts | None = None
    """None: those of the rules' own examples."""
    part: Part = "train"
    """Which prompts are answered; the others stay unseen."""
    include: Include | None = None
    rounds: int = 1
    """Critiques and revisions of an answer, each by a rule drawn anew; the paper has 4."""
    shots: int = 0
    """Worked examples of the rules file before each question; a model without a chat template needs some."""
    model: str | Endpoint | None = None
    """Who answers and criticises, if not the model the stage starts from: a path, `stage:NAME`, or an endpoint."""
    manner: Manner = field(default_factory=Manner)
    start: str | None = None

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds: {self.rounds} revise nothing; give 1 or more")

    def files(self, place: Place) -> list[Path]:
        """Its prompts, its rules, and what is mixed in."""
        more = [] if self.include is None else self.include.data.files(place.file)
        return [*files_of(self.prompts, self.rules, place), *more]

    def make(self, place: Place) -> None:
        """Ask, revise, write rows.jsonl and ledger.json."""
        rules = rules_files.load(self.rules)
        prompts = asked_of(self.prompts, self.part, place, rules)
        asked = speaker(model_of(self.model, place), rules.words)
        critic = Critic(asked, rules, self.manner.sampling(place.seed), rounds=self.rounds, shots=self.shots)

        def ask(some: Sequence[Row], first: int) -> list[Row]:
            revised = critic.revise([row["prompt"] for row in some], first)
            return [_journal(each, row["id"]) for each, row in zip(revised, some, strict=True)]

        told = ask_all(
            prompts,
            ask,
            place.run.folder / JOURNAL,
            progress=lambda done: place.note(f"{done:,}/{len(prompts):,} prompts"),
        )
        revised = [(_revised(row, talk["prompt"]), talk["id"]) for row, talk in zip(told, prompts, strict=True)]
        self._finish(place, rules, revised, asked.name)

    def _finish(self, place: Place, rules: Rules, revised: list[tuple[Revised, str]], model: str) -> None:
        rows = []
        for each, source in revised:
            if each.fault is None:
                row = each.row()
                row["provenance"] |= {"source": source, "model": model}
                rows.append(row)
        made, included = len(rows), self._included(place, len(rows))
        rows = [*rows, *included]
        random.Random(f"{place.seed} order").shuffle(rows)
        write_rows(place.run.rows, rows)
        good = [each for each, _ in revised if each.fault is None]
        ledger = {
            "prompts": len(revised),
            "rows": made,
            "included": len(included),
            "dropped": dict(Counter(each.fault for each, _ in revised if each.fault)),
            "rules": dict(Counter(step.rule for each in good for step in each.steps)),
            "broken": {name: shares(rules, pairs) for name, pairs in _versions(good, self.rounds).items()},
        }
        write_json(place.run.folder / "ledger.json", ledger)
        place.note(f"{made:,} answers revised of {len(revised):,}, {len(included):,} conversations included")

    def _included(self, place: Place, made: int) -> list[Row]:
        if self.include is None:
            return []
        there = self.include.data.build(place.file).train
        wanted = round(self.include.share / (1 - self.include.share) * made)
        drawn = random.Random(f"{place.seed} include").sample(there, min(wanted, len(there)))
        return [
            {"messages": row["messages"], "provenance": {"method": "include", "source": row["id"]}} for row in drawn
        ]


def _journal(revised: Revised, source: str) -> Row:
    return {"id": source, "draft": revised.draft, "fault": revised.fault, "steps": revised.row()["provenance"]["steps"]}


def _revised(row: Row, prompt: Any) -> Revised:
    return Revised(prompt, row["draft"], [Step(**step) for step in row["steps"]], row["fault"])


def _versions(revised: Sequence[Revised], rounds: int) -> dict[str, list[tuple[str, str]]]:
    """(prompt, answer) pairs of the drafts, and after each round."""
    versions = {"draft": [(last_user(each.prompt), each.draft) for each in revised]}
    for number in range(rounds):
        versions[f"revision {number + 1}"] = [(last_user(each.prompt), each.steps[number].revision) for each in revised]
    return versions
