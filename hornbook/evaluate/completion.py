"""The share of completions that parse as Python, with its interval: a reward that can be checked without a judge.

A prompt is the head of a held-out function (signature and docstring). What the model writes is cut where the function
ends, at the first line that is not indented, and the whole is given to Python's own parser. A body that says nothing
(only `pass`, `...` or a string) does not count. Running the code is not tried: see HumanEval for that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hornbook.evaluate.interval import wilson
from hornbook.text.python import function_body, is_python


@dataclass(frozen=True)
class ParseRate:
    """How many of the completions are Python."""

    parsed: int
    trials: int
    completions: tuple[str, ...]

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.parsed / max(self.trials, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, Wilson's."""
        return wilson(self.parsed, self.trials)


def parse_rate(prompts: Sequence[str], complete: Callable[[list[str]], list[str]]) -> ParseRate:
    """Complete every prompt and count the results that parse."""
    completions = [function_body(text) for text in complete(list(prompts))]
    parsed = sum(is_python(prompt, body) for prompt, body in zip(prompts, completions, strict=True))
    return ParseRate(parsed, len(prompts), tuple(completions))
