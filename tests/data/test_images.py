from pathlib import Path

import numpy as np
import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.data.images import ImageRows, Images

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 3, 4, 4), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine images as the corpus stage leaves them, none held out."""
    PIXELS.tofile(tmp_path / "train.pixels")
    (tmp_path / "validation.pixels").touch()
    write_json(tmp_path / "images.json", {"shape": [3, 4, 4], "classes": ["a", "b"]})
    labels = [n % 2 for n in range(9)]
    write_json(tmp_path / "train.json", {"names": [f"i{n}" for n in range(9)], "labels": labels})
    write_json(tmp_path / "validation.json", {"names": [], "labels": []})
    return tmp_path


def rows(folder: Path, seed: int | None = None) -> ImageRows:
    return Images(length=5).build(folder, "train", seed=seed)


def test_pixels_go_from_minus_one_to_one(folder: Path) -> None:
    batch = rows(folder).batch(0, 9)
    assert batch.input_ids is None
    assert batch.labels.tolist() == [n % 2 for n in range(9)]
    assert torch.allclose(batch.pixel_values, torch.from_numpy(PIXELS).float() / 127.5 - 1)
    assert batch.pixel_values.dtype == torch.float32
    assert list(batch.inputs) == ["pixel_values"]


def test_an_epoch_holds_every_image_once_and_rows_are_anybodys(folder: Path) -> None:
    source = rows(folder, seed=4)
    assert (source.length, source.rows_per_epoch, source.tokens_per_row) == (5, 9, 1.0)
    names = [name for (name,) in source.documents(9, 9)]
    assert sorted(names) == [f"i{n}" for n in range(9)]
    assert names != [name for (name,) in source.documents(0, 9)]
    whole = source.batch(9, 9)
    for row, name in enumerate(names):
        one = rows(folder, seed=4).batch(9 + row, 1)
        assert torch.equal(one.pixel_values[0], whole.pixel_values[row])
        assert one.labels.item() == int(name[1:]) % 2


def test_a_split_without_images_is_an_error(folder: Path) -> None:
    with pytest.raises(UserError, match="the validation split has no images"):
        Images(length=5).build(folder, "validation", seed=0)
