"""Answers that are kept: a scoring that was killed goes on where it was, and the same question is not asked twice.

One JSONL file for a model, appended to as answers come; a line that a kill cut short is forgotten. A question is known
by a hash of itself, a model by a hash of its files, so a changed model starts a file of its own.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hornbook.core.run import Log

Question = Any  # a frozen dataclass of request.py


class Cache:
    """The answers of one model in one folder."""

    def __init__(self, folder: Path, model: str) -> None:
        """`model` is a fingerprint: of its weights, its tokenizer, and how its numbers are computed."""
        self.log = Log(folder / f"answers-{model[:16]}.jsonl")
        self.known: dict[str, Any] = {row["question"]: row["answer"] for row in self.log.rows() if "question" in row}

    def find(self, question: Question) -> Any:
        """The answer, or None where it was not given yet."""
        return self.known.get(key(question))

    def keep(self, answers: Iterable[tuple[Question, Any]]) -> None:
        """Write answers down; they are in the operating system's hands when this returns."""
        rows = {key(question): answer for question, answer in answers}
        self.log.append(*({"question": question, "answer": answer} for question, answer in rows.items()))
        self.known |= rows


def key(question: Question) -> str:
    """What a question is known by."""
    said = [type(question).__name__, dataclasses.asdict(question)]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:32]


def fingerprint(model: Path, *how: str) -> str:
    """A hash of a model's files (a folder's, or one GGUF file) and of how it is run."""
    digest = hashlib.sha256(json.dumps(how).encode())
    for path in sorted(model.iterdir()) if model.is_dir() else [model]:
        if path.is_file():
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
