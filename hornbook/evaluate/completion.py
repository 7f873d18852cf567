"""The share of completions that parse as Python, with its interval: a reward that can be checked without a judge.

A prompt is the head of a held-out function (signature and docstring). What the model writes is cut where the function
ends, at the first line that is not indented, and the whole is given to Python's own parser. A body that says nothing
(only `pass`, `...` or a string) does not count. Running the code is not tried: see HumanEval for that.
"""

import ast
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hornbook.evaluate.interval import wilson


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


def function_body(text: str) -> str:
    r"""What belongs to the function: everything before the first line that is not indented.

    >>> function_body("    return 1\n\ndef g(): pass")
    '    return 1'
    """
    kept: list[str] = []
    for line in text.splitlines():
        if line.strip() and not line[0].isspace() and any(earlier.strip() for earlier in kept):
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def is_python(head: str, body: str) -> bool:
    r"""Whether the function parses and does something.

    >>> is_python("def f(x):\n", "    return x"), is_python("def f(x):\n", "    return ("), is_python("def f():\n", "")
    (True, False, False)
    """
    if not body.strip():
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string and the like: the writer's business, not ours
            tree = ast.parse(head.rstrip() + "\n" + body + "\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # all that ast.parse may raise on text
        return False
    function = tree.body[0] if len(tree.body) == 1 else None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return any(not _says_nothing(statement) for statement in function.body)


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )
