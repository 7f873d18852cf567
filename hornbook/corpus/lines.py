"""Lines and paragraphs, as the filters look at them: how they begin and end, which came before."""

# ruff: noqa: RUF001 - the signs of every script, some of which look like others

from collections.abc import Iterable, Sequence

from hornbook.corpus.words import TERMINAL

BULLETS = ("•", "-")  # Rae et al. 2021 say "a bullet point"
UNSPACED_BULLETS = ("•", "-", "·", "●", "◆", "■", "※", "★")  # what Chinese pages use
ELLIPSES = ("...", "…")
CLOSING_QUOTES = frozenset("”’」』）】》…\"'")
"""After the sign that ends a sentence; a line of dialogue in Chinese ends in one."""


def share(count: int, of: Sequence[object]) -> float:
    """A count over how many there are; 0 of none."""
    return count / len(of) if of else 0.0


def bulleted(lines: Iterable[str], bullets: tuple[str, ...] = BULLETS) -> int:
    """How many lines begin with a bullet."""
    return sum(line.lstrip().startswith(bullets) for line in lines)


def trailing_off(lines: Iterable[str]) -> int:
    """How many lines end in an ellipsis."""
    return sum(line.rstrip().endswith(ELLIPSES) for line in lines)


def finished(lines: Iterable[str], *, quotes: bool = False) -> int:
    """How many lines end in a sign that ends a sentence; `quotes`: or in a closing quote."""
    if quotes:
        return sum(line[-1:] in TERMINAL or line[-1:] in CLOSING_QUOTES for line in lines)
    return sum(line[-1:] in TERMINAL for line in lines)


def repeated(items: Iterable[str]) -> tuple[int, int]:
    """How many came before, and how many characters they have.

    >>> repeated(["home", "news", "home", "home"])
    (2, 8)
    """
    seen: set[str] = set()
    count = characters = 0
    for item in items:
        if item in seen:
            count += 1
            characters += len(item)
        else:
            seen.add(item)
    return count, characters
