"""What a teacher thought of every token of some rows, on disk: its likeliest next tokens and their log-probabilities.

The teacher runs over the data once, however many epochs the student takes and however often it is trained. A token
costs 6 bytes for each of the k that are kept; what all others have together is what is missing to 1.
The rows lie in the order of the data, so a seed may shuffle them as it likes.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from hornbook.core.files import new_folder, write_json
from hornbook.data.batches import Batch, Source, row_indices
from hornbook.data.shards import map_file

ROWS = 16  # that go through the teacher at once
Ask = Callable[[Batch], tuple[Tensor, Tensor]]
"""Rows -> (ids, log-probabilities) of the likeliest tokens, both (rows, length, k)."""


@dataclass(frozen=True)
class ScoredBatch(Batch):
    """Rows, and what the teacher thought of them."""

    teacher_ids: Int[Tensor, "rows length k"] | None = None
    teacher_log_p: Float[Tensor, "rows length k"] | None = None

    @property
    def inputs(self) -> dict[str, Tensor]:
        """What the student reads, which is not the teacher's answers."""
        return {name: part for name, part in super().inputs.items() if not name.startswith("teacher_")}

    def to(self, device: torch.device | str) -> "ScoredBatch":
        """The batch on a device."""
        parts: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {
            name: None if part is None else part.to(device, non_blocking=True) for name, part in parts.items()
        }
        return ScoredBatch(**moved)


def write(source: Source, folder: Path, ask: Ask, *, progress: Callable[[int, int], None] = lambda *_: None) -> None:
    """Ask a teacher about every row of a source that is in the order of its data (built with seed None)."""
    with new_folder(folder) as aside:
        with (aside / "ids").open("wb") as ids_file, (aside / "log_p").open("wb") as log_p_file:
            for first in range(0, source.rows_per_epoch, ROWS):
                rows = min(ROWS, source.rows_per_epoch - first)
                ids, log_p = ask(source.batch(first, rows))
                ids_file.write(ids.to("cpu", torch.int32).numpy().astype("<i4").tobytes())
                log_p_file.write(log_p.to("cpu", torch.float16).numpy().astype("<f2").tobytes())
                progress(first + rows, source.rows_per_epoch)
        write_json(aside / "scores.json", {"rows": source.rows_per_epoch, "length": source.length, "k": ids.shape[-1]})


class ScoredRows:
    """The rows of a source in the order of a seed, each with its scores; a `Source` itself."""

    def __init__(self, source: Source, folder: Path, *, seed: int | None) -> None:
        """source: in the order of its data, as it was when the scores were written."""
        self.source, self.seed = source, seed
        self.length, self.rows_per_epoch = source.length, source.rows_per_epoch
        self.tokens_per_row = source.tokens_per_row
        shape = (self.rows_per_epoch, self.length, -1)
        self.ids: NDArray[Any] = map_file(folder / "ids", "int32").reshape(shape)
        self.log_p: NDArray[Any] = map_file(folder / "log_p", "float16").reshape(shape)

    def batch(self, first_row: int, rows: int) -> ScoredBatch:
        """Rows first_row to first_row + rows - 1."""
        places = self._places(first_row, rows)
        found = [self.source.batch(place, 1) for place in places.tolist()]
        parts: dict[str, Any] = {}
        for field in fields(Batch):
            each = [getattr(row, field.name) for row in found]
            parts[field.name] = None if each[0] is None else torch.cat(each)
        parts["teacher_ids"], parts["teacher_log_p"] = (
            torch.from_numpy(each[places]) for each in (self.ids, self.log_p)
        )
        return ScoredBatch(**parts)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the documents in each row."""
        return [self.source.documents(place, 1)[0] for place in self._places(first_row, rows).tolist()]

    def _places(self, first_row: int, rows: int) -> NDArray[np.int64]:
        return row_indices(first_row, rows, self.rows_per_epoch, self.seed)
