"""Images from folders, .npz, MNIST's files and scikit-learn's digits become the same array."""

import gzip
import importlib.util
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hornbook.core.errors import UserError
from hornbook.corpus.images import ImageFiles, idx, run

RNG = np.random.default_rng(0)


def made(folder: Path, **values: Any) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
    """(pixels, names and labels, what images.json says) of the training part."""
    config = ImageFiles(**{"validation": 0.0, **values})
    ledger = run(config, folder / "corpus")
    about = json.loads((folder / "corpus" / "images.json").read_text())
    pixels = np.fromfile(folder / "corpus" / "train.pixels", dtype=np.uint8).reshape(-1, *about["shape"])
    assert ledger.splits["train"].documents == len(pixels)
    return pixels, json.loads((folder / "corpus" / "train.json").read_text()), about


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "files" / label).mkdir(parents=True)
        for number in range(3):
            shade = 40 * number + (100 if label == "dog" else 0)
            Image.new("RGB", (20, 10), (shade, 0, 255)).save(tmp_path / "files" / label / f"{number}.png")
    (tmp_path / "files" / "dog" / "notes.txt").write_text("no picture")
    pixels, listed, about = made(tmp_path, source=str(tmp_path / "files"), size=6, channels=3)
    assert about == {"shape": [3, 6, 6], "classes": ["cat", "dog"]}
    assert listed["labels"] == [0, 0, 0, 1, 1, 1]
    assert listed["names"][4] == "dog/1.png"
    assert (pixels[4] == np.array([140, 0, 255], dtype=np.uint8)[:, None, None]).all()


def test_a_picture_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "files" / label).mkdir(parents=True)
        Image.new("L", (4, 4), 9 if label == "a" else 7).save(tmp_path / "files" / label / "good.png")
    (tmp_path / "files" / "a" / "bad.png").write_bytes(b"\x89PNG and then nothing")
    ledger = run(ImageFiles(source=str(tmp_path / "files"), size=4, validation=0.0), tmp_path / "corpus")
    assert ledger.bad == 1
    assert ledger.bad_places[0]["place"].endswith("bad.png")


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_an_npz_of_bytes_or_of_shares(kind: str, tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (12, 5, 5, 3), dtype=np.uint8)
    given = images if kind == "uint8" else (images / 255).astype(np.float32)
    np.savez(tmp_path / "a.npz", images=given, labels=np.arange(12) % 11)
    pixels, listed, about = made(tmp_path, source=str(tmp_path / "a.npz"), size=5, channels=3)
    assert (pixels == images.transpose(0, 3, 1, 2)).all()
    assert about["classes"] == [str(number) for number in range(11)]  # 2 before 10
    assert listed["labels"] == [n % 11 for n in range(12)]


def test_mnists_own_format(tmp_path: Path) -> None:
    images, labels = RNG.integers(0, 256, (7, 4, 4), dtype=np.uint8), np.arange(7, dtype=np.uint8) % 3
    for name, array in (("my-images-idx3-ubyte.gz", images), ("my-labels-idx1-ubyte.gz", labels)):
        head = struct.pack(f">HBB{array.ndim}i", 0, 8, array.ndim, *array.shape)
        (tmp_path / name).write_bytes(gzip.compress(head + array.tobytes()))
    pixels, listed, _ = made(tmp_path, source=str(tmp_path / "my-images-idx3-ubyte.gz"), size=4)
    assert (pixels[:, 0] == images).all()
    assert listed["labels"] == labels.tolist()
    (tmp_path / "bad-images-idx3-ubyte").write_bytes(b"\0\0\x0d\x03")
    with pytest.raises(UserError, match="not a file of MNIST's format"):
        idx(tmp_path / "bad-images-idx3-ubyte")


def test_real_mnist(shared_data: Path, tmp_path: Path) -> None:
    source = str(shared_data / "vision" / "mnist" / "t10k-images-idx3-ubyte.gz")
    pixels, listed, about = made(tmp_path, source=source, size=28)
    assert pixels.shape == (10_000, 1, 28, 28)
    assert about["classes"] == [str(digit) for digit in range(10)]
    assert np.bincount(listed["labels"]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_scikit_learns_digits_are_its_digits(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn.datasets import load_digits

    pixels, listed, _ = made(tmp_path)
    theirs = load_digits()
    assert pixels.shape == (1797, 1, 8, 8)
    assert (pixels[:, 0] == theirs.images.astype(int) * 255 // 16).all()
    assert listed["labels"] == theirs.target.tolist()


def test_without_scikit_learn_digits_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="digits: they come with scikit-learn; pip install scikit-learn"):
        made(tmp_path)


def test_copies_of_an_image_are_on_one_side(tmp_path: Path) -> None:
    images = np.repeat(RNG.integers(0, 256, (100, 3, 3), dtype=np.uint8), 5, axis=0)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(500) % 2)
    run(ImageFiles(source=str(tmp_path / "a.npz"), size=3, validation=0.3), tmp_path / "corpus")
    train, held_out = (
        {row.tobytes() for row in np.fromfile(tmp_path / "corpus" / f"{split}.pixels", dtype="u1").reshape(-1, 9)}
        for split in ("train", "validation")
    )
    assert not train & held_out
    assert 15 < len(held_out) < 45


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"size": 9}, r"images of shape \(12, 5, 5, 1\) for 12 labels, the recipe wants \(12, 9, 9, 1\)"),
        ({"size": 5, "channels": 3}, "set corpus.size and corpus.channels to theirs"),
    ],
)
def test_images_of_another_size_are_refused(values: dict[str, int], sentence: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((12, 5, 5), dtype=np.uint8), labels=np.arange(12))
    with pytest.raises(UserError, match=sentence):
        made(tmp_path, source=str(tmp_path / "a.npz"), **values)


def test_what_holds_no_images_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(UserError, match="holds x; wants the arrays `images` and `labels`"):
        made(tmp_path, source=str(tmp_path / "a.npz"))
    (tmp_path / "b.txt").write_text("text")
    with pytest.raises(UserError, match=r"b.txt: no folder of images, .npz or images-idx3 file"):
        made(tmp_path, source=str(tmp_path / "b.txt"))
    np.savez(tmp_path / "c.npz", images=np.zeros((2, 8, 8), dtype=np.uint8), labels=np.zeros(2, dtype=int))
    with pytest.raises(UserError, match="1 classes of images to learn from; give two or more"):
        made(tmp_path, source=str(tmp_path / "c.npz"))
    with pytest.raises(ValueError, match="size: 0 is no picture"):
        ImageFiles(size=0)
    with pytest.raises(ValueError, match=r"validation: 0.6"):
        ImageFiles(validation=0.6)
