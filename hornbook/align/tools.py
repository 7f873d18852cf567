"""Tools that a model uses by writing to them: LaMDA's loop of questions and results before it answers the user.

Thoppilan et al. 2022 (arXiv 2201.08239), section 6.2: what the model writes is addressed. `TS, 135+7721` goes to the
toolset, whose results come back as the next turn; `User, it is 7856.` goes to the user and ends the loop. Every tool
sees every query and answers with a list of texts, empty where it is none of its business; the lists are put one after
the other, the calculator's first. A model learns to write queries by `instruct` on conversations that hold them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

from hornbook.align.arithmetic import NoSum, calculate
from hornbook.align.critique import STRIDE
from hornbook.align.search import Index, read_folder
from hornbook.align.speaker import Speaker, Talk
from hornbook.corpus.synthetic import Sampling

TO_TOOLS, TO_USER = "TS,", "User,"
FROM_TOOLS = "TS:"
NOTHING = "nothing found"
ROUNDS = 4  # queries before an answer must come: section 6.2


class Tool(Protocol):
    """Something that answers queries."""

    def use(self, query: str) -> list[str]:
        """What it has to say to a query; nothing, mostly."""
        ...


@dataclass(frozen=True, kw_only=True)
class Calculator:
    """Sums: `135+7721` -> `7856`."""

    def build(self) -> "Calculator":
        return self

    def use(self, query: str) -> list[str]:
        """As `Tool.use`."""
        try:
            return [calculate(query)]
        except NoSum:
            return []


@dataclass(frozen=True, kw_only=True)
class Today:
    """The date."""

    words: tuple[str, ...] = ("date", "today", "日期", "今天")
    """A query with one of these asks for it."""

    def build(self, now: Callable[[], date] = date.today) -> "Calendar":
        return Calendar(self.words, now)


@dataclass(frozen=True)
class Calendar:
    """The date, by a clock."""

    words: tuple[str, ...]
    now: Callable[[], date]

    def use(self, query: str) -> list[str]:
        """As `Tool.use`."""
        return [self.now().isoformat()] if any(word in query.casefold() for word in self.words) else []


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Search over the texts of a folder (search.py)."""

    folder: str
    passages: int = 1
    """At most so many results."""

    def build(self) -> "Shelf":
        return Shelf(read_folder(self.folder), self.passages)


@dataclass(frozen=True)
class Shelf:
    """A folder that is searched."""

    index: Index
    passages: int

    def use(self, query: str) -> list[str]:
        """As `Tool.use`."""
        return [hit.passage.text for hit in self.index.search(query, self.passages)]


@dataclass
class Said:
    """What came of a conversation with the tools."""

    text: str
    """For the user; empty where the model never came to that."""
    calls: list[tuple[str, list[str]]] = field(default_factory=list)
    """Each query with its results."""


def converse(speaker: Speaker, talks: Sequence[Talk], tools: Sequence[Tool], sampling: Sampling) -> list[Said]:
    """The answer to each conversation, after as many queries as the model wants and `ROUNDS` allows."""
    found = [Said("") for _ in talks]
    open_talks = {number: list(talk) for number, talk in enumerate(talks)}
    for round_ in range(ROUNDS + 1):
        if not open_talks:
            break
        how = replace(sampling, seed=sampling.seed + round_ * STRIDE * 101)
        written = speaker.answers(list(open_talks.values()), how)
        for number, text in zip(list(open_talks), written, strict=True):
            query = asked(text or "") if tools else None
            if query is None or round_ == ROUNDS:
                found[number].text = "" if query is not None else (text or "").removeprefix(TO_USER).strip()
                del open_talks[number]
                continue
            results = [result for tool in tools for result in tool.use(query)]
            found[number].calls.append((query, results))
            told = f"{FROM_TOOLS} {'; '.join(results) or NOTHING}"
            open_talks[number] += [
                {"role": "assistant", "content": f"{TO_TOOLS} {query}"},
                {"role": "user", "name": FROM_TOOLS.rstrip(":"), "content": told},
            ]
    return found


def asked(text: str) -> str | None:
    """The query in what a model wrote; None: it speaks to the user.

    >>> asked("TS, 135+7721"), asked("User, hello."), asked("Hello.")
    ('135+7721', None, None)
    """
    first = text.strip().partition("\n")[0]
    return first.removeprefix(TO_TOOLS).strip() if first.startswith(TO_TOOLS) else None
