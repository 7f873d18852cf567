"""Images and their classes from files: a folder for each class, a .npz, MNIST's files, or scikit-learn's digits.

They are written as one array a split, uint8 (images, channels, height, width), which training maps into memory. What is
held out is decided by an image's bytes, so two copies of it are on the same side.
"""

import gzip
import hashlib
import importlib.util
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, write_json
from hornbook.corpus import sources
from hornbook.corpus.ledger import Ledger, Total

DIGITS = "digits"
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
Pixels = NDArray[np.uint8]
Image = tuple[str, str, Pixels]
"""Name, class, (channels, height, width)."""


@dataclass(frozen=True, kw_only=True)
class ImageFiles:
    """Which images a model is made from."""

    source: str = DIGITS
    """A folder with a folder of images for each class, a .npz with `images` and `labels`, or `digits`."""
    size: int = 8
    """Pixels of a side: images are made square and this large."""
    channels: Literal[1, 3] = 1
    """1: grey, 3: red, green and blue."""
    validation: float = 0.2
    """Share of the images that is held out."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size: {self.size} is no picture; give the pixels of a side, such as 32")
        if not 0 <= self.validation <= 0.5:
            raise ValueError(f"validation: {self.validation} is not a share between 0 and 0.5; try 0.2")

    @property
    def path(self) -> Path:
        """The file or folder that is read."""
        return digits_file() if self.source == DIGITS else Path(self.source).expanduser()

    def fingerprint(self) -> str:
        """Hash of what the files hold now."""
        return sources.fingerprint([str(self.path)])


def run(config: ImageFiles, folder: Path) -> Ledger:
    """Write `{train,validation}.pixels` and `.json` (names, classes), images.json and ledger.json into a new folder."""
    ledger, digest = Ledger(split_rule="by hash of the image"), hashlib.sha256()
    found: dict[str, list[tuple[str, str]]] = {split: [] for split in ledger.splits}
    with new_folder(folder) as aside, ExitStack() as opened:
        files = {split: opened.enter_context((aside / f"{split}.pixels").open("wb")) for split in ledger.splits}
        for name, label, pixels in read(config, ledger):
            data = pixels.tobytes()
            key = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
            split = "validation" if key < config.validation * 2**64 else "train"
            files[split].write(data)
            found[split].append((name, label))
            digest.update(f"{name}\0{label}\0".encode(errors="surrogateescape") + data)
            for total in (ledger.read.setdefault(config.source, Total()), ledger.splits[split]):
                total.documents, total.bytes = total.documents + 1, total.bytes + len(data)
        ledger.fingerprint = digest.hexdigest()
        _describe(config, aside, found)
        write_json(aside / "ledger.json", ledger.plain())
    return ledger


def _describe(config: ImageFiles, folder: Path, found: dict[str, list[tuple[str, str]]]) -> None:
    classes = sorted({label for images in found.values() for _, label in images}, key=_number_first)
    if not found["train"] or len(classes) < 2:
        raise UserError(f"{config.source}: {len(classes)} classes of images to learn from; give two or more")
    for split, images in found.items():
        listed = {"names": [name for name, _ in images], "labels": [classes.index(label) for _, label in images]}
        (folder / f"{split}.json").write_text(json.dumps(listed), encoding="utf-8")
    write_json(folder / "images.json", {"shape": [config.channels, config.size, config.size], "classes": classes})


def _number_first(label: str) -> tuple[int, str]:
    """Sorts 2 before 10."""
    return (int(label) if label.isdigit() else 1 << 60), label


def read(config: ImageFiles, ledger: Ledger) -> Iterator[Image]:
    """Every image in the size and colours that are wanted."""
    path = config.path
    if config.source == DIGITS:
        table = np.loadtxt(path, delimiter=",", dtype=np.int64)
        yield from _arrays(config, table[:, :-1].reshape(-1, 8, 8) * 255 // 16, table[:, -1])  # 16 shades of grey
    elif path.is_dir():
        yield from _folders(config, path, ledger)
    elif path.suffix == ".npz":
        with np.load(path) as archive:
            if not {"images", "labels"} <= set(archive):
                raise UserError(f"{path}: holds {', '.join(archive)}; wants the arrays `images` and `labels`")
            yield from _arrays(config, archive["images"], archive["labels"])
    elif "images-idx3" in path.name:
        labels = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
        yield from _arrays(config, idx(path), idx(labels))
    else:
        raise UserError(f"{path}: no folder of images, .npz or images-idx3 file; name one of them, or digits")


def _folders(config: ImageFiles, path: Path, ledger: Ledger) -> Iterator[Image]:
    from PIL import Image as Picture  # only for those who have files of pictures
    from PIL import UnidentifiedImageError

    for file in sorted(path.glob("*/*")):
        if file.suffix.lower() not in ENDINGS:
            continue
        try:
            with Picture.open(file) as picture:
                square = picture.convert("L" if config.channels == 1 else "RGB").resize((config.size, config.size))
        except (OSError, UnidentifiedImageError):
            ledger.fault(str(file), "not a picture that can be read; replace or delete it")
            continue
        pixels = np.asarray(square, dtype=np.uint8).reshape(config.size, config.size, config.channels)
        yield f"{file.parent.name}/{file.name}", file.parent.name, pixels.transpose(2, 0, 1)


def _arrays(config: ImageFiles, images: NDArray[Any], labels: NDArray[Any]) -> Iterator[Image]:
    """Images (count, height, width) or with channels last, uint8 or 0 to 1; they must have the size that is wanted."""
    images = images if images.ndim == 4 else images[..., None]
    if images.dtype.kind == "f":
        images = (images * 255).round()
    wanted = (len(labels), config.size, config.size, config.channels)
    if images.shape != wanted:
        raise UserError(
            f"{config.source}: images of shape {images.shape} for {len(labels)} labels, the recipe wants {wanted}; "
            "set corpus.size and corpus.channels to theirs"
        )
    for number, (image, label) in enumerate(zip(images.astype(np.uint8), labels.tolist(), strict=True)):
        yield f"{number}", str(label), image.transpose(2, 0, 1)


def idx(path: Path) -> Pixels:
    """MNIST's own format: two zeros, the kind of number (8: bytes), the number of axes, their lengths, the numbers."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if data[:3] != b"\0\0\x08":
        raise UserError(f"{path}: not a file of MNIST's format with bytes in it; replace it")
    axes = np.frombuffer(data, dtype=">i4", count=data[3], offset=4)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * data[3]).reshape(axes.tolist())


def digits_file() -> Path:
    """Where scikit-learn keeps its 1,797 handwritten digits (Alpaydin and Kaynak 1998)."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise UserError("digits: they come with scikit-learn; pip install scikit-learn, or name a folder of images")
    return Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
