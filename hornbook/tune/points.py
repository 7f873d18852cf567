"""KTO's reference point: how far the model is from the reference now, the same for all answers of a step.

Ethayarajh et al. 2024, section 4.1: z_0 = max(0, the mean of log(policy / reference) of answers to other prompts). They
take the mean over a micro-batch, so the loss depends on how a step is cut up. Here it is over all rows of the step,
found before its first backward pass: every process finds it from the same rows and the same weights, so neither
accumulation nor the number of processes changes it. That costs each process a forward pass over the step's rows.
"""

from dataclasses import replace

import torch

from hornbook.data.preference_rows import AnswerBatch, ComparisonRows
from hornbook.tune.reference import Reader, rows_at_once


class PointRows:
    """Rows that come with the point of their step; a `Source`. `group` rows are a step."""

    def __init__(self, rows: ComparisonRows, strangers: ComparisonRows, reader: Reader, *, group: int) -> None:
        self.rows, self.strangers, self.reader, self.group = rows, strangers, reader, group
        self.length, self.rows_per_epoch, self.tokens_per_row = rows.length, rows.rows_per_epoch, rows.tokens_per_row
        self._last: tuple[tuple[int, int], float] | None = None

    def batch(self, first_row: int, rows: int) -> AnswerBatch:
        """As the rows' own."""
        points = [self.point(row // self.group) for row in range(first_row, first_row + rows)]
        return replace(self.rows.batch(first_row, rows), points=torch.tensor(points))

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The ids of the pairs in each row."""
        return self.rows.documents(first_row, rows)

    def point(self, group: int) -> float:
        """The point of a step, nats; found once for the weights as they are."""
        key = group, self._weights()
        if self._last is None or self._last[0] != key:
            self._last = key, self._find(group)
        return self._last[1]

    def _find(self, group: int) -> float:
        packs = self.rows.packs_at(group * self.group, self.group)
        packs = self.strangers.repacked([pair for pack in packs for pair in pack])
        total, count, few = 0.0, 0, rows_at_once(self.rows)
        for first in range(0, len(packs), few):
            answers = self.reader.answers(self.strangers.of(packs[first : first + few]))
            total, count = total + float(answers.ratio[answers.there].sum()), count + int(answers.there.sum())
        return max(0.0, total / max(count, 1))

    def _weights(self) -> int:
        """A number that grows whenever a weight is changed in place."""
        return sum(parameter._version for parameter in self.reader.model.parameters())
