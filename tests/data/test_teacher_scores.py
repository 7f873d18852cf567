"""Scores on disk belong to their rows, whatever order the rows are read in."""

from pathlib import Path

import pytest
import torch

from hornbook.data import teacher_scores
from hornbook.data.batches import Batch
from hornbook.data.teacher_scores import ScoredRows


class Numbers:
    """A source of 37 rows whose ids are their number."""

    length, rows_per_epoch, tokens_per_row = 4, 37, 4.0

    def batch(self, first_row: int, rows: int) -> Batch:
        numbers = torch.arange(first_row, first_row + rows)[:, None].expand(rows, 4).contiguous()
        return Batch(numbers, numbers + 1)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        return [[f"row {number}"] for number in range(first_row, first_row + rows)]


def ask(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    assert batch.input_ids is not None
    best = torch.stack([batch.input_ids, batch.input_ids + 100], -1)
    return best, -best / 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    teacher_scores.write(Numbers(), tmp_path / "teacher", ask)
    return tmp_path / "teacher"


@pytest.mark.parametrize("seed", [None, 5])
def test_each_row_has_its_own_scores(folder: Path, seed: int | None) -> None:
    rows = ScoredRows(Numbers(), folder, seed=seed)
    batch = rows.batch(30, 20)  # over the end of an epoch
    assert batch.input_ids is not None
    wanted = ask(batch)
    assert torch.equal(batch.teacher_ids.long(), wanted[0])
    assert torch.equal(batch.teacher_log_p.float(), wanted[1])
    names = [f"row {number}" for number in batch.input_ids[:, 0].tolist()]
    assert [name for (name,) in rows.documents(30, 20)] == names
    assert (names == [f"row {number % 37}" for number in range(30, 50)]) == (seed is None)
    assert torch.equal(rows.batch(40, 1).input_ids, batch.input_ids[10:11])
    assert sorted(batch.inputs) == ["input_ids"]
    assert torch.equal(batch.to("cpu").teacher_ids, batch.teacher_ids)


def test_the_order_is_that_of_the_source_with_the_same_seed(tmp_path: Path) -> None:
    """So a student that reads scores sees the rows that one without them would see."""
    import numpy as np

    from hornbook.data.batches import row_indices

    rows = ScoredRows.__new__(ScoredRows)
    rows.rows_per_epoch, rows.seed = 37, 5
    assert np.array_equal(rows._places(0, 80), row_indices(0, 80, 37, 5))


def test_a_broken_run_leaves_no_scores(tmp_path: Path) -> None:
    def breaks(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teacher_scores.write(Numbers(), tmp_path / "teacher", breaks)
    assert not (tmp_path / "teacher").exists()
