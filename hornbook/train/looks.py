"""Looking at a model while it learns: what it writes, and what it answers to a benchmark's questions.

Held-out loss says how well it foresees text; these say what that is good for. Only the first process looks.
"""

from dataclasses import dataclass

from hornbook.core.run import Log, Row
from hornbook.train.config import Train
from hornbook.train.job import Job, Listener


@dataclass(frozen=True)
class Looks:
    """Asks a job's model now and then, and writes down what came of it."""

    config: Train
    job: Job
    metrics: Log
    samples: Log
    listener: Listener

    def __call__(self, at: Row, *, last: bool) -> None:
        """Look, where it is time; `at` begins every row: step, tokens, seconds."""
        if self.job.sample and self._due(self.config.sample_every, at, last):
            self.job.model.eval()
            place = {name: at[name] for name in ("step", "tokens")}
            rows = [{**place, **row} for row in self.job.sample(self.job.model)]
            self.samples.append(*rows)
            self.listener.sampled(rows)
        if self.job.ask and self._due(self.config.evaluate_every, at, last):
            self.job.model.eval()
            scores = self.job.ask()
            self.metrics.append({**at, "scores": scores})
            self.listener.note("         " + "  ".join(_said(name, score) for name, score in scores.items()))

    def _due(self, every: int, at: Row, last: bool) -> bool:
        return every > 0 and (at["step"] % every == 0 or last)


def _said(name: str, score: Row) -> str:
    """A score in a line.

    >>> _said("arc_easy", {"metric": "acc", "value": 0.31, "interval": [0.22, 0.41], "of": 100})
    'arc_easy 31.0% (22% to 41%)'
    """
    low, high = score["interval"]
    return f"{name} {score['value']:.1%} ({low:.0%} to {high:.0%})"
