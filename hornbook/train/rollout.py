"""Rollouts are a batch source: the rows of an optimizer step are texts that the model writes as it is at that step.

A rollout serves `updates` steps. The first of them makes it; all of it lies in files (rollout_file.py) until no
checkpoint is left that could ask for it, so a run that is killed ends in the same bytes as one left alone. What is
drawn is a function of (seed, rollout, prompt, sample), so it does not depend on the number of processes either.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import read_json, write_text
from hornbook.core.run import Log, Run
from hornbook.data.batches import row_indices
from hornbook.data.order import permute
from hornbook.objective.kl import Kl
from hornbook.objective.policy import Samples
from hornbook.train.checkpoint import PREFIX
from hornbook.train.parallel import Ranks
from hornbook.train.rollout_file import Shelf, Written
from hornbook.train.rollout_write import Prompt, Writer, padded, seed_of

LOG = "rollouts.jsonl"  # every text with its reward, for people
FOLDER = "rollouts"


@dataclass(frozen=True)
class Plan:
    """How many texts are written when."""

    prompts: int  # of an optimizer step
    samples: int  # texts of each prompt
    updates: int = 1  # optimizer steps that learn from a rollout
    passes: int = 1  # how often each text of it is learned from; divides `updates`

    @property
    def rows(self) -> int:
        """Texts of an optimizer step."""
        return self.prompts * self.samples

    @property
    def groups(self) -> int:
        """Prompts of a rollout."""
        return self.prompts * self.updates // self.passes


@dataclass(frozen=True)
class Estimated:
    """What the texts of a rollout turned out to be worth."""

    advantages: Tensor  # per token
    weights: Tensor  # per token
    counts: Tensor  # per text: what its part of the loss is a mean of
    returns: Tensor | None = None  # per token
    kl: float = 0.0  # coefficient in the loss


class Estimate(Protocol):
    """Turns rewards into advantages; `coefficient` is what a nat away from the reference costs."""

    @property
    def kl(self) -> Kl | None: ...

    def __call__(self, written: Written, coefficient: float) -> Estimated: ...


@dataclass(frozen=True)
class Home:
    """Where a run of rollouts stands."""

    run: Run
    seed: int
    ranks: Ranks


class Rollouts:
    """A `Source` whose rows are written when they are asked for."""

    def __init__(
        self, prompts: Sequence[Prompt], plan: Plan, writer: Writer, *, estimate: Estimate, home: Home
    ) -> None:
        self.prompts, self.plan, self.writer, self.estimate, self.home = prompts, plan, writer, estimate, home
        most = writer.limits.max_new_tokens
        self.length = max(len(prompt.ids) for prompt in prompts) + most - 1
        self.rows_per_epoch = len(prompts) * plan.samples * plan.passes
        self.tokens_per_row = float(most)
        self.shelf, self.log = Shelf(home.run.folder / FOLDER), Log(home.run.folder / LOG)
        self.number, self.last = -1, -2  # the rollout in memory; the newest that is written down
        self.written: Written
        self.worth: Estimated

    def batch(self, first_row: int, rows: int) -> Samples:
        """Texts first_row, first_row + 1, ..., which belong to one optimizer step."""
        number, place = divmod(first_row, self.plan.rows * self.plan.updates)
        update, place = divmod(place, self.plan.rows)
        if number != self.number:
            self._open(number, fresh=update == 0)
        numbers = self._order(update)[place : place + rows]
        first = update == 0 and place == self.home.ranks.share(0, self.plan.rows).start
        return self._samples(numbers, seconds=first)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The prompt of each row."""
        number, place = divmod(first_row, self.plan.rows * self.plan.updates)
        update, place = divmod(place, self.plan.rows)
        if number == self.number:
            return [[str(self.written.said[i]["id"])] for i in self._order(update)[place : place + rows]]
        return [[str(prompt.row["id"])] for prompt in self._asked(number)]

    def _open(self, number: int, *, fresh: bool) -> None:
        """Make a rollout, or go on with one that earlier steps have learned from."""
        ranks, groups = self.home.ranks, self.plan.groups
        if fresh:
            ranks.wait()
            if ranks.first:
                self.shelf.drop(number)
                self.shelf.drop_before(self._oldest(number))
            ranks.wait()
            mine = ranks.share(0, groups)
            if len(mine):
                self._write(number, mine).save(self.shelf.part(number, mine))
        ranks.wait()
        written = self.shelf.read(number, groups)
        if written is None:
            raise UserError(
                f"{self.shelf.folder}: rollout {number} is gone, which steps before this one have learned from; "
                "delete the newest checkpoints, or use another --run"
            )
        self.number, self.written = number, written
        self.worth = self.estimate(written, self._coefficient(fresh=fresh))
        if ranks.first:
            self._note(number)

    def _write(self, number: int, mine: range) -> Written:
        prompts = [self._asked(number)[i] for i in mine]
        seeds = [[seed_of(self.home.seed, number, i, sample) for sample in range(self.plan.samples)] for i in mine]
        return self.writer.write(prompts, seeds)

    def _asked(self, number: int) -> list[Prompt]:
        """The prompts of a rollout: all of them once, in an order drawn from the seed, before one comes again."""
        groups = self.plan.groups
        return [self.prompts[i] for i in row_indices(number * groups, groups, len(self.prompts), self.home.seed)]

    def _oldest(self, number: int) -> int:
        """The rollout that the oldest checkpoint would go on with."""
        states = [path / "state.json" for path in self.home.run.checkpoints.glob(f"{PREFIX}*")]
        rows = [int(read_json(state)["row"]) for state in states if state.is_file()]
        return min([number, *(row // (self.plan.rows * self.plan.updates) for row in rows)])

    def _coefficient(self, *, fresh: bool) -> float:
        """What a nat costs now. It stands in the model's checkpoint; a new rollout moves it towards its target."""
        if self.estimate.kl is None:
            return 0.0
        held: Tensor = self.writer.model.kl_coefficient  # type: ignore[assignment]  # a buffer: learner.py
        if fresh:
            found = float((self.written.old.double() - self.written.reference.double()).mean())
            held.fill_(self.estimate.kl.next(float(held), found))
        return float(held)

    def _order(self, update: int) -> list[int]:
        """The texts of one of the rollout's steps; those of about the same length together in each process."""
        plan, (turn, place) = self.plan, divmod(update, self.plan.updates // self.plan.passes)
        groups = np.arange(plan.groups)
        if turn:
            groups = permute(groups, plan.groups, seed_of(self.home.seed, self.number), np.full(plan.groups, turn))
        chosen = groups[place * plan.prompts : (place + 1) * plan.prompts]
        texts = [int(group) * plan.samples + sample for group in chosen for sample in range(plan.samples)]
        lengths = (self.written.prompt_tokens + self.written.new_tokens).tolist()
        texts.sort(key=lambda text: (lengths[text], text))
        world = self.home.ranks.world
        return deal(texts, [len(Ranks(rank, world).share(0, len(texts))) for rank in range(world)])

    def _samples(self, numbers: list[int], *, seconds: bool) -> Samples:
        written, worth = self.written, self.worth
        inputs, labels = padded([written.text(number) for number in numbers])
        starts, lengths = written.starts[numbers].tolist(), written.new_tokens[numbers].tolist()
        places = torch.cat([torch.arange(a, a + n) for a, n in zip(starts, lengths, strict=True)])
        asked, valued = len(written.reference) > 0, len(written.values) > 0
        return Samples(
            inputs,
            labels,
            old=written.old[places],
            advantages=worth.advantages[places].float(),
            weights=worth.weights[places].float(),
            reference=written.reference[places] if asked else None,
            values=written.values[places] if valued else None,
            returns=None if worth.returns is None else worth.returns[places].float(),
            count=int(worth.counts[numbers].sum()),
            kl=worth.kl,
            seen=self._seen(numbers, places) | (self._spent() if seconds else {}),
        )

    def _seen(self, numbers: list[int], places: Tensor) -> dict[str, tuple[float, float]]:
        """What the texts of a batch were like, as sums."""
        written, texts, tokens = self.written, float(len(numbers)), float(len(places))
        rewards, spread = written.rewards[numbers], self._spread()[numbers]
        known = ~rewards.isnan()
        found = {
            "reward": (float(rewards[known].sum()), float(known.sum())),
            "reward_std": (float(spread.sum()), texts),
            "entropy": (-float(written.old[places].sum()), tokens),  # the mean of -log p of what is drawn from p
            "completion_tokens": (tokens, texts),
            "unfinished": (float((~written.finished[numbers]).sum()), texts),
            "skipped": (float((~known).sum()), texts),
        }
        if len(written.reference):
            apart = (written.old[places] - written.reference[places]).sum()
            found |= {"kl": (float(apart), tokens), "kl_coefficient": (self._coefficient(fresh=False), 1.0)}
        return found

    def _spread(self) -> Tensor:
        """Per text: the deviation of the rewards of its prompt."""
        groups = self.written.rewards.view(-1, self.plan.samples)
        return groups.std(1, correction=0).nan_to_num().repeat_interleave(self.plan.samples)

    def _spent(self) -> dict[str, tuple[float, float]]:
        names = ("generation_seconds", "reference_seconds", "check_seconds", "reward_seconds")
        return {name: (spent, 1.0) for name, spent in zip(names, self.written.seconds.mean(0).tolist(), strict=True)}

    def _note(self, number: int) -> None:
        """Write the texts down for people; those of steps that are taken again are written again."""
        if number != self.last + 1 and self.log.path.exists():
            kept = [row for row in self.log.rows() if row["rollout"] < number]
            write_text(self.log.path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))
        written, rows = self.written, []
        apart = written.per_text(written.old - written.reference) if len(written.reference) else None
        for text, said in enumerate(written.said):
            row = {"rollout": number, **said, "reward": float(written.rewards[text])}
            row |= {"tokens": int(written.new_tokens[text]), "finished": bool(written.finished[text])}
            rows.append(row | ({} if apart is None else {"kl": round(float(apart[text]), 4)}))
        self.log.append(*rows)
        self.last = number


def deal(texts: list[int], sizes: list[int]) -> list[int]:
    """Texts sorted by length, so that each of several shares, which follow each other, has short ones and long ones.

    >>> deal([0, 1, 2, 3, 4], [2, 3])
    [0, 3, 1, 2, 4]
    """
    shares: list[list[int]] = [[] for _ in sizes]
    for text in texts:
        place = min(range(len(sizes)), key=lambda share: len(shares[share]) / sizes[share])
        shares[place].append(text)
    return [text for share in shares for text in share]
