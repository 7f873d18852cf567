"""The stage `judge`: a model says which of its two answers keeps a rule better; a later stage learns to prefer it.

Bai et al. 2022 (arXiv 2212.08073), section 4: rows.jsonl holds {"prompt", "chosen", "rejected", "probability"}, the
probability being the judge's that the chosen answer is the better one (0.5 to 1): a label without a human. `reward`
and `prefer` read them. Which judge, which rule and both answers stand in `provenance`.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.align import rules as rules_files
from hornbook.align.asking import JOURNAL, ask_all, write_rows
from hornbook.align.critique import STRIDE
from hornbook.align.judge import Pair, Thought, compare
from hornbook.align.rules import Rules, violations
from hornbook.align.speaker import Manner, Speaker, speaker
from hornbook.align.transcript import last_user
from hornbook.core.files import write_json
from hornbook.data.conversations import Prompts
from hornbook.generate.endpoint import Endpoint
from hornbook.tune.broken import Part, asked_of, files_of, model_of, share
from hornbook.tune.place import Place

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Think:
    """The judge thinks before it says which (section 4.1, chain of thought), and is never quite sure."""

    manner: Manner = field(default_factory=Manner)
    clamp: tuple[float, float] = (0.4, 0.6)
    """Its probabilities stay between these."""

    def __post_init__(self) -> None:
        if not 0 <= self.clamp[0] < 0.5 < self.clamp[1] <= 1:
            raise ValueError(f"clamp: {list(self.clamp)} does not hold 0.5 inside 0 to 1; the paper has [0.4, 0.6]")


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Makes preferences of a model's own answers."""

    rules: str
    """A rules file, a built-in name such as rules/english, or the folder of Bai et al.'s prompts."""
    prompts: Prompts | None = None
    """None: those of the rules' own examples."""
    part: Part = "train"
    """Which prompts are answered; the others stay unseen."""
    model: str | Endpoint | None = None
    """Who answers, if not the model the stage starts from: a path, `stage:NAME`, or an endpoint."""
    judge: str | Endpoint | None = None
    """Who judges, if not the model the stage starts from."""
    think: Think | None = None
    surest: float = 0.0
    """A pair about which the judge is less sure than this (0.5 is not at all) is left out."""
    manner: Manner = field(default_factory=Manner)
    start: str | None = None

    def files(self, place: Place) -> list[Path]:
        """Its prompts and its rules."""
        return files_of(self.prompts, self.rules, place)

    def make(self, place: Place) -> None:
        """Ask, judge, write rows.jsonl and ledger.json."""
        rules = rules_files.load(self.rules)
        prompts = asked_of(self.prompts, self.part, place, rules)
        who, judge = model_of(self.model, place), model_of(self.judge, place)
        writer = speaker(who, rules.words)
        court = _Court(self, rules, writer, writer if judge == who else speaker(judge, rules.words), place.seed)
        asked = ask_all(
            prompts,
            court.rows,
            place.run.folder / JOURNAL,
            progress=lambda done: place.note(f"{done:,}/{len(prompts):,} prompts"),
        )
        self._finish(place, rules, list(asked))

    def _finish(self, place: Place, rules: Rules, asked: list[Row]) -> None:
        kept = [row for row in asked if row.get("dropped") is None]
        sure = [row for row in kept if row["probability"] >= self.surest]
        write_rows(place.run.rows, sure)
        dropped = Counter(row["dropped"] for row in asked if row.get("dropped"))
        if len(sure) < len(kept):
            dropped["not sure"] = len(kept) - len(sure)
        ledger = {
            "prompts": len(asked),
            "rows": len(sure),
            "dropped": dict(dropped),
            "rules": dict(Counter(row["provenance"]["rule"] for row in sure)),
            "probability": sum(row["probability"] for row in sure) / max(len(sure), 1),
            **_agreement(rules, sure),
        }
        write_json(place.run.folder / "ledger.json", ledger)
        place.note(f"{len(sure):,} preferences of {len(asked):,} prompts")


@dataclass(frozen=True)
class _Court:
    """Who answers and who judges."""

    config: Judge
    rules: Rules
    writer: Speaker
    judge: Speaker
    seed: int

    def rows(self, prompts: Sequence[Row], first: int) -> list[Row]:
        """Two answers to each prompt and which is better, or why nothing came of it."""
        talks = [row["prompt"] for row in prompts]
        one, other = (
            self.writer.answers(talks, self.config.manner.sampling(self.seed + STRIDE * number + first))
            for number in range(2)
        )
        choices = self.rules.that_have("choose")
        drawn = [random.Random(f"{self.seed} {first + i} judge").choice(choices) for i in range(len(talks))]
        pairs = [Pair(talk, a or "", b or "", rule) for talk, a, b, rule in zip(talks, one, other, drawn, strict=True)]
        unlike = [pair for pair in pairs if _fault(pair) is None]
        said = iter(compare(self.judge, unlike, self.rules.words, thought=self._thought(first)) if unlike else [])
        judged = [(pair, next(said) if _fault(pair) is None else None) for pair in pairs]
        return [self._row(pair, p, row["id"]) for (pair, p), row in zip(judged, prompts, strict=True)]

    def _thought(self, first: int) -> Thought | None:
        think = self.config.think
        return None if think is None else Thought(think.manner.sampling(self.seed + 2 * STRIDE + first), think.clamp)

    def _row(self, pair: Pair, probability: float | None, source: str) -> Row:
        if probability is None:
            return {"dropped": _fault(pair) or "not judged", "source": source}
        better, worse = (pair.a, pair.b) if probability >= 0.5 else (pair.b, pair.a)
        made = {"method": "judge", "rule": pair.rule.name, "judge": self.judge.name, "model": self.writer.name}
        return {
            "prompt": pair.prompt,
            "chosen": better,
            "rejected": worse,
            "probability": max(probability, 1 - probability),
            "provenance": {**made, "source": source},
        }


def _fault(pair: Pair) -> str | None:
    """Why two answers cannot be compared."""
    if not pair.a or not pair.b:
        return "no answer"
    return "twice the same answer" if pair.a == pair.b else None


def _agreement(rules: Rules, rows: Sequence[Row]) -> Row:
    """Of the pairs of which just one answer breaks a rule that can be checked: how often the judge chose the other."""
    told = []
    for row in rows:
        chosen, rejected = (
            bool(violations(rules, last_user(row["prompt"]), row[key])) for key in ("chosen", "rejected")
        )
        if chosen != rejected:
            told.append(rejected)
    return {"agrees with the checks": share(sum(told), len(told))} if rules.checkable else {}
