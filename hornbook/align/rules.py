"""One file of rules for everything that keeps a model to them: critique and revision, judging, ranking, counting.

A rule is what the constitution of Bai et al. 2022 (arXiv 2212.08073) calls a principle, with the texts that ask a model
about it: to criticise an answer, to mend it, to say which of two answers keeps it better. A question to be answered
with yes or no makes it a rule in Sparrow's sense (Glaese et al. 2022), and a check that needs no model (a regular
expression or a function) lets anybody count how often it is broken. A rule takes part where it has the text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hornbook.align.functions import function
from hornbook.align.words import Words
from hornbook.core import recipe as recipes
from hornbook.core.errors import RecipeError, UserError


@dataclass(frozen=True, kw_only=True)
class Example:
    """An answer of which it is known whether it breaks the rule."""

    prompt: str
    answer: str
    breaks: bool


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A whole critique and revision, which shows a model how it is done."""

    prompt: str
    """What the user says, or a transcript of several turns ("\\n\\nHuman: ...\\n\\nAssistant: ...\\n\\nHuman: ...")."""
    answer: str
    critique_request: str
    critique: str
    revision_request: str
    revision: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an answer must be, and how a model is asked about it."""

    name: str
    principle: str = ""
    """What an answer must be, in a sentence."""
    critique: str | None = None
    """Asks for what is wrong with an answer."""
    revision: str | None = None
    """Asks for a better one."""
    choose: str | None = None
    """Asks which of two answers keeps the rule better."""
    question: str | None = None
    """Asks whether an answer breaks the rule; yes: it does."""
    pattern: str | None = None
    """A regular expression; an answer in which it is found breaks the rule."""
    function: str | None = None
    """`checks.py:shouts`, beside the rules file: a function of (prompt, answer) that is true where it is broken."""
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        if (self.critique is None) != (self.revision is None):
            raise ValueError(f"rule {self.name}: critique and revision are asked one after the other; give both")
        if self.pattern is not None and self.function is not None:
            raise ValueError(f"rule {self.name}: has a pattern and a function; keep one of them")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"rule {self.name}: pattern {self.pattern!r} is no regular expression ({error})") from None
        for each in self.examples if self.pattern is not None else ():
            if self.broken(each.prompt, each.answer) != each.breaks:
                raise ValueError(f"rule {self.name}: its pattern is wrong about its own example {each.answer!r}")

    @property
    def checkable(self) -> bool:
        """Whether it can be checked without a model."""
        return self.pattern is not None or self.function is not None

    def broken(self, prompt: str, answer: str) -> bool:
        """Whether an answer breaks it, by its pattern or function."""
        if self.pattern is not None:
            return re.search(self.pattern, answer) is not None
        assert self.function is not None, "asked of a rule that cannot be checked"
        return bool(function(self.function, "function")(prompt, answer))


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A rules file."""

    rules: tuple[Rule, ...]
    shots: tuple[Shot, ...] = ()
    words: Words = field(default_factory=Words)
    """What stands around the texts, in their language."""

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names or twice:
            raise ValueError(f"rules: {twice[0]!r} is there twice" if twice else "rules: there is none; write one")

    def that_have(self, text: str) -> tuple[Rule, ...]:
        """The rules that have a `critique`, a `choose` or a `question`; at least one must."""
        found = tuple(rule for rule in self.rules if getattr(rule, text) is not None)
        if not found:
            raise UserError(f"rules: not one of {len(self.rules)} has a `{text}`; write it for at least one")
        return found

    @property
    def checkable(self) -> tuple[Rule, ...]:
        """Those that can be checked without a model."""
        return tuple(rule for rule in self.rules if rule.checkable)


def violations(rules: Rules, prompt: str, answer: str) -> list[str]:
    """The names of the rules that an answer breaks, of those that can be checked without a model.

    >>> rules = Rules(rules=(Rule(name="calm", pattern="!"), Rule(name="kind", question="Is it unkind?")))
    >>> violations(rules, "Hello?", "Go away!"), violations(rules, "Hello?", "Good day.")
    (['calm'], [])
    """
    return [rule.name for rule in rules.checkable if rule.broken(prompt, answer)]


def load(source: str | Path) -> Rules:
    """A rules file (a path, or a built-in name such as rules/english), or Bai et al.'s own prompts in their folder."""
    if Path(source).is_dir():
        from hornbook.align.constitution import read

        return read(Path(source))
    path = recipes.find(source)
    rules = recipes.load(Rules, path)
    return replace(rules, rules=tuple(_placed(rule, path.parent) for rule in rules.rules))


def files(source: str | Path) -> list[Path]:
    """The files that `load` reads."""
    path = Path(source) if Path(source).is_dir() else recipes.find(source)
    if path.is_dir():
        return sorted(path.glob("*.json"))
    functions = [rule.function for rule in load(path).rules if rule.function]
    return [path, *sorted({Path(place.rpartition(":")[0]) for place in functions})]


def _placed(rule: Rule, folder: Path) -> Rule:
    """A rule whose function is found from anywhere, and exists."""
    if rule.function is None:
        return rule
    file, _, name = rule.function.partition(":")
    placed = replace(rule, function=f"{folder / file}:{name}")
    for each in rule.examples:
        if placed.broken(each.prompt, each.answer) != each.breaks:
            raise RecipeError(f"rule {rule.name}: its function is wrong about its own example {each.answer!r}")
    function(f"{folder / file}:{name}", "function")
    return placed


def tally(rules: Rules, pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How many of (prompt, answer) pairs break each rule that can be checked, and how many any (`any`)."""
    broken = [violations(rules, prompt, answer) for prompt, answer in pairs]
    counts = {rule.name: sum(rule.name in names for names in broken) for rule in rules.checkable}
    return {**counts, "any": sum(bool(names) for names in broken)}
