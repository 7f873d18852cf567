"""What a user told about themselves, kept in a file from one session to the next and looked up by what is said now.

Shuster et al. 2022, BlenderBot 3 (arXiv 2208.03188), section 3: after each turn of the user the model itself writes the
memory, a fact or nothing; before each answer the memories that share words with the turn are put before it. Leaves out
the bot's own memories and a model that decides whether to look. The file is JSON lines that a person can read and mend.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hornbook.align.search import Index, Passage, words
from hornbook.align.speaker import Speaker, Talk
from hornbook.align.transcript import Message, last_user
from hornbook.align.words import fill
from hornbook.core.run import Log
from hornbook.corpus.synthetic import Sampling

# Among a few facts no word is rare, so those that say nothing by themselves must be left out of a question by hand.
IDLE = frozenset(
    words("a an and are at do does for have i in is it me my of on s that the to user was what who with you your")
    + words("用户 什么 我的 是什")
)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """A long-term memory."""

    file: str = "memory.jsonl"
    request: str = (
        'Someone says: {said}\n\nWrite down what this tells about them, one fact on a line, such as "The user likes '
        'tea." If it tells nothing about them, write: nothing'
    )
    """Asks the model what to keep of {said}."""
    nothing: str = "nothing"
    """What it writes where there is nothing."""
    known: str = "What is known about the user: {facts}"
    """How {facts} are told before an answer."""
    facts: int = 3
    """At most so many are."""

    def __post_init__(self) -> None:
        if "{said}" not in self.request or "{facts}" not in self.known:
            raise ValueError(
                "memory: `request` needs {said} and `known` needs {facts}, where the texts go; put them in"
            )

    def build(self) -> "Notebook":
        return Notebook(self)


class Notebook:
    """The facts of a file."""

    def __init__(self, config: Memory) -> None:
        self.config, self.log = config, Log(Path(config.file))
        self.index = Index([Passage(row["fact"], row["at"]) for row in self.log.rows() if "fact" in row])

    def recall(self, talk: Talk) -> str | None:
        """The facts that fit what the user said last, as a text for the model; None: there is none."""
        telling = [word for word in words(last_user(talk)) if word not in IDLE]
        hits = self.index.search(" ".join(telling), self.config.facts)
        return fill(self.config.known, facts=" ".join(hit.passage.text for hit in hits)) if hits else None

    def remember(self, speaker: Speaker, talk: Talk, sampling: Sampling) -> list[str]:
        """Let the model write down what the user's last turn tells about them; what is new."""
        said = last_user(talk)
        question: list[Message] = [{"role": "user", "content": fill(self.config.request, said=said)}]
        written = speaker.answers([question], sampling)[0] or ""
        known = {passage.text.casefold() for passage in self.index.passages}
        new = [fact for fact in _lines(written) if self._tells(fact) and fact.casefold() not in known]
        for fact in dict.fromkeys(new):
            at = datetime.now(UTC).isoformat(timespec="seconds")
            self.index.add(Passage(fact, at))
            self.log.append({"fact": fact, "said": said, "at": at})
        self.log.sync()
        return list(dict.fromkeys(new))

    def _tells(self, fact: str) -> bool:
        return fact.casefold().rstrip(".。!") != self.config.nothing.casefold()


def _lines(text: str) -> list[str]:
    """Lines without the marks of a list.

    >>> _lines("- The user has a cat.\\n\\n- The user is Ada.")
    ['The user has a cat.', 'The user is Ada.']
    """
    return [line.strip().lstrip("-*• ") for line in text.splitlines() if line.strip().lstrip("-*• ")]
