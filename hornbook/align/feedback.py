"""What a user thinks of an answer, kept as rows from which later stages learn.

Shuster et al. 2022, BlenderBot 3 (arXiv 2208.03188): thumbs up or down, a reason, and a better answer if the user has
one. A folder gets three files: judged.jsonl (prompt, completion, label: KTO), conversations.jsonl (answers that were
good or were given by the user: `instruct`) and preferences.jsonl (the user's answer against the model's: `prefer`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hornbook.align.transcript import Message
from hornbook.core.run import Log

JUDGED, CONVERSATIONS, PREFERENCES = "judged.jsonl", "conversations.jsonl", "preferences.jsonl"


@dataclass(frozen=True)
class Feedback:
    """The rows of a folder."""

    folder: Path

    def good(self, talk: list[Message], answer: str) -> None:
        """Thumbs up."""
        self._judge(talk, answer, label=True)
        self._converse(talk, answer)

    def bad(self, talk: list[Message], answer: str, reason: str = "") -> None:
        """Thumbs down, and why."""
        self._judge(talk, answer, label=False, **({"reason": reason} if reason else {}))

    def better(self, talk: list[Message], answer: str, wanted: str) -> None:
        """What the answer should have been."""
        self._converse(talk, wanted)
        if wanted != answer:
            self._add(PREFERENCES, {"prompt": talk, "chosen": wanted, "rejected": answer})

    def _judge(self, talk: list[Message], answer: str, **more: Any) -> None:
        self._add(JUDGED, {"prompt": talk, "completion": answer, **more})

    def _converse(self, talk: list[Message], answer: str) -> None:
        self._add(CONVERSATIONS, {"messages": [*talk, {"role": "assistant", "content": answer}]})

    def _add(self, file: str, row: dict[str, Any]) -> None:
        log = Log(self.folder / file)
        log.append({**row, "at": datetime.now(UTC).isoformat(timespec="seconds")})
        log.sync()
