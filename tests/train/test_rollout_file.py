"""A rollout is whole or not there, and comes back as it was."""

from pathlib import Path

import torch

from hornbook.train.rollout_file import Shelf, Written
from tests.train.writers import decoder, prompts, writer


def written(number: int) -> Written:
    return writer(decoder()).write(prompts()[number : number + 1], [[number, number + 10]])


def test_parts_of_several_processes_are_one_rollout(tmp_path: Path) -> None:
    shelf, parts = Shelf(tmp_path), [written(0), written(1)]
    parts[1].save(shelf.part(3, range(1, 2)))
    assert shelf.read(3, 2) is None
    parts[0].save(shelf.part(3, range(1)))
    found = shelf.read(3, 2)
    assert found is not None
    assert [found.text(n) for n in range(4)] == [part.text(n) for part in parts for n in range(2)]
    assert found.said == parts[0].said + parts[1].said
    torch.testing.assert_close(found.old, torch.cat([part.old for part in parts]), atol=0, rtol=0)
    assert shelf.read(3, 3) is None
    assert shelf.read(4, 2) is None


def test_what_is_no_longer_needed_goes(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number in (1, 2, 12):
        written(0).save(shelf.part(number, range(1)))
    shelf.drop_before(2)
    assert (shelf.read(1, 1), shelf.read(2, 1) is None) == (None, False)
    shelf.drop(2)
    assert shelf.read(2, 1) is None
    assert shelf.read(12, 1) is not None


def test_sums_over_each_text() -> None:
    found = written(2)
    assert found.per_text(torch.ones(int(found.new_tokens.sum()))).tolist() == found.new_tokens.tolist()
    assert found.starts.tolist() == [0, int(found.new_tokens[0])]
