"""Images and their classes to batches: a row is one image, and its label is what is in it.

Pixels go from 0..255 to -1..1, as ViT's do (Dosovitskiy et al. 2021). Neither crops nor other augmentation are here.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.core.files import read_json
from hornbook.data.batches import Batch, row_indices
from hornbook.data.shards import map_file


@dataclass(frozen=True, kw_only=True)
class Images:
    """Rows of one image each."""

    length: int
    """Tokens that a model makes of an image: its patches, and one for the whole of it."""

    def build(self, folder: Path, split: str, *, seed: int | None) -> "ImageRows":
        """Rows of a split ("train", "validation") in an order drawn from the seed, or as they came with None."""
        return ImageRows(folder, split, self.length, seed=seed)


class ImageRows:
    """The images of a split, mapped into memory; a `Source`."""

    def __init__(self, folder: Path, split: str, length: int, *, seed: int | None) -> None:
        about, listed = (read_json(folder / name) for name in ("images.json", f"{split}.json"))
        self.classes: list[str] = about["classes"]
        self.names: list[str] = listed["names"]
        self.labels: NDArray[np.int64] = np.array(listed["labels"], dtype=np.int64)
        self.pixels = map_file(folder / f"{split}.pixels", "uint8").reshape(-1, *about["shape"])
        if not len(self.labels):
            raise UserError(f"{folder}: the {split} split has no images; give more, or set corpus.validation")
        self.length, self.seed = length, seed
        self.rows_per_epoch = len(self.labels)
        self.tokens_per_row = 1.0

    def batch(self, first_row: int, rows: int) -> Batch:
        """Images first_row to first_row + rows - 1."""
        chosen = row_indices(first_row, rows, self.rows_per_epoch, self.seed)
        pixels = self.pixels[chosen].astype(np.float32) / 127.5 - 1
        return Batch(None, torch.from_numpy(self.labels[chosen]), pixel_values=torch.from_numpy(pixels))

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The name of each image."""
        chosen = row_indices(first_row, rows, self.rows_per_epoch, self.seed)
        return [[self.names[row]] for row in chosen.tolist()]
