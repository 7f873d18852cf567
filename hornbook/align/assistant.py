"""A language model with parts around it: memory, search, tools, a ranking of several answers. Each part may be absent.

One answer is made like this; a YAML file says which of the steps there are:

    what the user said  ->  what is known about them (memory.py)       BlenderBot 3
                        ->  passages that may help (search.py)         Sparrow, BlenderBot 3
                        ->  n answers, each after its queries (tools.py)   LaMDA
                        ->  the best of them (rank.py)                 Sparrow, LaMDA
                        ->  what is worth remembering (memory.py)      BlenderBot 3

What the parts have in common with training is the rules file, and feedback.py, whose rows later stages learn from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hornbook.align.critique import STRIDE
from hornbook.align.memory import Memory
from hornbook.align.rank import Candidate, Lamda, Sparrow
from hornbook.align.search import Passage, read_folder
from hornbook.align.speaker import Manner, Speaker, Talk
from hornbook.align.tools import Calculator, Lookup, Today, converse
from hornbook.align.transcript import Message, last_user
from hornbook.align.words import fill
from hornbook.corpus.synthetic import Sampling


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Passages put before the user's question, and quoted with the answer."""

    folder: str
    """Of .txt and .md files."""
    passages: int = 2
    form: str = "{passages}\n\n{question}"
    """How {passages} and the {question} are put to the model."""

    def __post_init__(self) -> None:
        if "{passages}" not in self.form or "{question}" not in self.form:
            raise ValueError("form: needs {passages} and {question}, where the texts go; put them in")


@dataclass(frozen=True, kw_only=True)
class Assistant:
    """Which parts there are."""

    instructions: str | None = None
    """A system message."""
    evidence: Evidence | None = None
    memory: Memory | None = None
    tools: tuple[Calculator | Today | Lookup, ...] = ()
    """In the order in which their results are told."""
    rank: Sparrow | Lamda | None = None
    """How the best of several answers is found; None: there is one."""
    refusal: str = "I would rather not answer that."
    """Said where no answer may be given."""
    feedback: str | None = None
    """The folder for rows of what users think; None: it is not asked."""
    manner: Manner = field(default_factory=Manner)

    def build(self, speaker: Speaker) -> "Assisted":
        """Read the folders, load the models."""
        return Assisted(self, speaker)


@dataclass(frozen=True)
class Reply:
    """An answer and how it came to be."""

    text: str
    evidence: tuple[Passage, ...] = ()
    calls: tuple[tuple[str, list[str]], ...] = ()
    """Queries to the tools with their results."""
    candidates: tuple[Candidate, ...] = ()
    """All answers there were, where they were ranked."""
    learned: tuple[str, ...] = ()
    """What is remembered from now on."""


class Assisted:
    """A model with its parts."""

    def __init__(self, config: Assistant, speaker: Speaker) -> None:
        self.config, self.speaker = config, speaker
        self.index = None if config.evidence is None else read_folder(config.evidence.folder)
        self.memory = None if config.memory is None else config.memory.build()
        self.tools = [tool.build() for tool in config.tools]
        self.ranker = None if config.rank is None else config.rank.build(speaker)

    def reply(self, talk: Talk, seed: int = 0) -> Reply:
        """The answer to a conversation."""
        evidence = self._evidence(talk)
        asked = self._asked(talk, evidence)
        sampling = self.config.manner.sampling(seed)
        samples = self.config.rank.samples if self.config.rank else 1
        said = converse(self.speaker, [asked] * samples, self.tools, sampling)
        calls = {each.text: each.calls for each in said if each.text}
        candidates: Sequence[Candidate] = ()
        text = said[0].text
        if self.ranker is not None and calls:
            candidates = self.ranker.rank(talk, list(calls))
            text = candidates[0].text if candidates[0].kept else ""
        return Reply(
            text=text or self.config.refusal,
            evidence=tuple(evidence),
            calls=tuple(calls.get(text, said[0].calls)),
            candidates=tuple(candidates),
            learned=self._learn(talk, replace(sampling, seed=seed + STRIDE)),
        )

    def _evidence(self, talk: Talk) -> list[Passage]:
        if self.index is None or self.config.evidence is None:
            return []
        return [hit.passage for hit in self.index.search(last_user(talk), self.config.evidence.passages)]

    def _asked(self, talk: Talk, evidence: Sequence[Passage]) -> list[Message]:
        """The conversation with all that is put around it."""
        known = self.memory.recall(talk) if self.memory else None
        before = "\n\n".join(text for text in (self.config.instructions, known) if text)
        messages: list[Message] = [*([{"role": "system", "content": before}] if before else []), *talk]
        if evidence and self.config.evidence is not None:
            passages = "\n\n".join(passage.text for passage in evidence)
            told = fill(self.config.evidence.form, passages=passages, question=last_user(talk))
            messages[-1] = {"role": "user", "content": told}
        return messages

    def _learn(self, talk: Talk, sampling: Sampling) -> tuple[str, ...]:
        if self.memory is None:
            return ()
        return tuple(self.memory.remember(self.speaker, talk, replace(sampling, temperature=0.0)))
