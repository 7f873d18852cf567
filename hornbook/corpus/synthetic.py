"""Instructions that a model makes up: rounds of asking, what was kept, what was dropped and why; go on after a kill.

A round is drawn from (seed, round) and written down as one line when it is over, so a run that was killed loses at most
the round it was in, and with a model that answers alike ends like one that was left alone. No model is called from
here: a method (self_instruct.py, magpie.py) is given a `Model`.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hornbook.core.files import write_json, write_text

JOURNAL = "rounds.jsonl"
PATIENCE = 20  # rounds in a row that bring nothing new, after which there is nothing more to be had

Progress = Callable[[int, int], None]
"""Called with how many rows there are and how many are wanted."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a model is to write."""

    temperature: float
    top_p: float = 1.0
    max_new_tokens: int = 512
    seed: int = 0  # answer i of a list draws with seed + i


class Model(Protocol):
    """Who is asked. An answer that could not be had is None."""

    name: str

    def answers(self, questions: Sequence[str], sampling: Sampling) -> list[str | None]:
        """What it answers to each question by itself."""
        ...

    def user_turns(self, count: int, sampling: Sampling) -> list[str | None]:
        """What it writes where its template expects the user to speak."""
        ...


@dataclass(frozen=True)
class Row:
    """An instruction with its answer, and where it came from."""

    instruction: str
    input: str
    output: str
    provenance: dict[str, Any]

    def alpaca(self) -> dict[str, Any]:
        """As Taori et al. 2023 write it."""
        return asdict(self)

    def messages(self) -> dict[str, Any]:
        """As a conversation."""
        question = f"{self.instruction}\n\n{self.input}" if self.input else self.instruction
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": self.output}]
        return {"messages": turns, "provenance": self.provenance}


@dataclass
class Round:
    """What came of asking once."""

    number: int
    rows: list[Row] = field(default_factory=list)
    dropped: list[dict[str, str]] = field(default_factory=list)

    def drop(self, text: str, reason: str) -> None:
        """Count something that is not kept."""
        self.dropped.append({"text": text, "reason": reason})


class Method(Protocol):
    """A way of making instructions up."""

    def learn(self, done: Round) -> None:
        """Take in what a finished round has brought."""
        ...

    def ask(self, done: Round, model: Model, draw: random.Random) -> None:
        """Fill a round."""
        ...


@dataclass(frozen=True)
class Aim:
    """How many rows are wanted, and what is drawn."""

    rows: int
    seed: int


def run(method: Method, model: Model, folder: Path, *, aim: Aim, progress: Progress | None = None) -> dict[str, Any]:
    """Ask until there are enough rows; the ledger.

    Writes rounds.jsonl as it goes, and at the end alpaca.jsonl, messages.jsonl, dropped.jsonl and ledger.json.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done, idle = list(_read(folder / JOURNAL)), 0
    for each in done:
        method.learn(each)
        idle = 0 if each.rows else idle + 1
    found = sum(len(each.rows) for each in done)
    with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
        while found < aim.rows and idle < PATIENCE:
            now = Round(len(done))
            method.ask(now, model, random.Random(f"{aim.seed} {now.number}"))
            journal.write(json.dumps(asdict(now), ensure_ascii=False) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
            method.learn(now)
            done.append(now)
            found, idle = found + len(now.rows), 0 if now.rows else idle + 1
            if progress:
                progress(min(found, aim.rows), aim.rows)
    return _finish(folder, done, aim.rows)


def _read(path: Path) -> Iterator[Round]:
    """The finished rounds; the line that a kill cut short is cut off."""
    content = path.read_bytes() if path.is_file() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    for line in whole.splitlines():
        plain = json.loads(line)
        yield Round(plain["number"], [Row(**row) for row in plain["rows"]], plain["dropped"])


def _finish(folder: Path, done: list[Round], wanted: int) -> dict[str, Any]:
    rows = [row for each in done for row in each.rows][:wanted]
    dropped = [drop for each in done for drop in each.dropped]
    for name, lines in (
        ("alpaca", [row.alpaca() for row in rows]),
        ("messages", [row.messages() for row in rows]),
        ("dropped", dropped),
    ):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        write_text(folder / f"{name}.jsonl", text)
    reasons = dict(sorted(Counter(drop["reason"] for drop in dropped).items()))
    ledger = {"wanted": wanted, "rows": len(rows), "rounds": len(done), "dropped": reasons}
    write_json(folder / "ledger.json", ledger)
    return ledger
