"""A speaker that answers by rule: what it says depends on the conversation and the seed alone, as a real one's does."""

from collections.abc import Callable, Sequence

from hornbook.align.speaker import Talk
from hornbook.corpus.synthetic import Sampling


class Scripted:
    """`says(talk, seed, voice)` is its answer, `leans(talk, begun, option)` the weight of an option."""

    name = "scripted"

    def __init__(
        self,
        says: Callable[[Talk, int, str | None], str | None] = lambda talk, seed, voice: f"{talk[-1]['content']} {seed}",
        leans: Callable[[Talk, str, str], float] = lambda talk, begun, option: 1.0,
    ) -> None:
        self.says, self.leans = says, leans
        self.heard: list[tuple[Talk, str | None]] = []
        self.lives = 1_000_000  # lists of questions it answers before it is killed, as a process is

    def answers(self, talks: Sequence[Talk], sampling: Sampling, *, voice: str | None = None) -> list[str | None]:
        if self.lives == 0:
            raise KeyboardInterrupt
        self.lives -= 1
        self.heard += [(list(talk), voice) for talk in talks]
        return [self.says(talk, sampling.seed + number, voice) for number, talk in enumerate(talks)]

    def weigh(self, talks: Sequence[Talk], begun: Sequence[str], options: Sequence[str]) -> list[list[float] | None]:
        found: list[list[float] | None] = []
        for talk, text in zip(talks, begun, strict=True):
            weights = [self.leans(talk, text, option) for option in options]
            total = sum(weights)
            found.append([weight / total for weight in weights] if total else None)
        return found
