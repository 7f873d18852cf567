"""What the reference model says of every answer: found once, kept in the stage's folder, read again when it goes on.

DPO, IPO and KTO weigh the model against the one it started from. That one does not change, so its log-probabilities are
numbers like the labels are; asking it in every step would cost a third of each. The file carries a fingerprint of the
base's weights and of all ids, so a changed base, template or row is never met with old numbers.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from hornbook.core import device as machine
from hornbook.core.files import new_file
from hornbook.data.preference_rows import AnswerBatch, ComparisonRows
from hornbook.objective.answers import Answers, read
from hornbook.train.config import Train
from hornbook.train.job import MICRO_BATCH_TOKENS
from hornbook.train.precision import Precision

FILE = "reference.safetensors"


@dataclass(frozen=True)
class Reader:
    """A model that only reads: on the device and in the numbers that it is trained in, without dropout."""

    model: nn.Module
    context: Callable[[], AbstractContextManager[object]]

    @classmethod
    def of(cls, model: nn.Module, train: Train) -> "Reader":
        """Moves the model to the fastest device there is."""
        choice = machine.choose(precision=train.precision)
        return cls(model.to(choice.device), Precision(choice.precision, choice.device).context)

    @torch.no_grad()
    def answers(self, batch: AnswerBatch) -> Answers:
        """The answers of a batch."""
        learning = self.model.training
        self.model.eval()
        with self.context():
            found, _ = read(self.model, batch.to(next(self.model.parameters()).device))
        self.model.train(learning)
        return found

    def log_p(self, rows: ComparisonRows) -> Tensor:
        """(pairs, 2): log-probability of both answers of each pair."""
        return rows.each(lambda batch: self.answers(batch).log_p, rows=rows_at_once(rows))


def rows_at_once(rows: ComparisonRows) -> int:
    """Rows of a pass without gradients."""
    return max(1, MICRO_BATCH_TOKENS // rows.length)


def remember(path: Path, reader: Reader, sources: Mapping[str, ComparisonRows], note: Callable[[str], None]) -> None:
    """Give each source its reference log-probabilities, from the file or, where that is not theirs, found now."""
    fingerprint = _fingerprint(reader.model, sources)
    found = _kept(path, fingerprint)
    if found is None:
        note(f"log-probabilities of the reference: {sum(len(rows.shelf.pairs) for rows in sources.values()):,} rows")
        found = {name: reader.log_p(rows) for name, rows in sources.items()}
        with new_file(path) as file:
            file.write(save(found, {"fingerprint": fingerprint}))
    for name, rows in sources.items():
        rows.reference = found[name]


def _kept(path: Path, fingerprint: str) -> dict[str, Tensor] | None:
    """What is in the file; None where it is not there or of something else."""
    if not path.is_file():
        return None
    with safe_open(path, framework="pt") as file:
        if (file.metadata() or {}).get("fingerprint") != fingerprint:
            return None
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a safetensors handle is no dict)


def _fingerprint(model: nn.Module, sources: Mapping[str, ComparisonRows]) -> str:
    """A hash of all weights, and of the ids of all rows, which the template and the tokenizer have made."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    for name, rows in sources.items():
        digest.update(f"{name} {rows.fingerprint()}".encode())
    return digest.hexdigest()
