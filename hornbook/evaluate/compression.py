"""Bits per byte: how well a model predicts held-out text, on the scale of gzip and xz.

A model that gives probability p to a token can code it in -log2 p bits (Shannon 1948), so a language model is a
compressor and bits per byte compares it with any other, whatever the tokenizer. Every document starts fresh after the
end token; long ones are read in windows that overlap by half, so that each token is judged with at least half a window
of context, and each token is counted once. Leaves out the bits of the model itself.
"""

import gzip
import lzma
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.evaluate.interval import bootstrap_ratio
from hornbook.text.tokenizer import Tokenizer

ROWS = 16  # windows that go through the model at once


@dataclass(frozen=True)
class Compression:
    """The score of a set of documents."""

    bits_per_byte: float
    interval: tuple[float, float]  # 95 %, over documents
    bytes: int
    tokens: int
    documents: int


@dataclass(frozen=True)
class Window:
    """A piece of one document: the model reads `ids` and is judged on the last `scored` targets."""

    document: int
    ids: list[int]  # inputs and, shifted by one, targets
    scored: int


def score(
    model: nn.Module,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    length: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Compression:
    """Bits per byte of a model on texts; `length` is the window in tokens."""
    coded = tokenizer.encode_batch(list(texts))
    nats = [0.0] * len(texts)
    windows = sorted(cut(coded, tokenizer.end, length), key=lambda window: len(window.ids))
    device = next(model.parameters()).device
    for start in range(0, len(windows), ROWS):
        batch = windows[start : start + ROWS]
        for window, loss in zip(batch, _losses(model, batch, device), strict=True):
            nats[window.document] += loss
        progress((start + len(batch)) / len(windows))
    sizes = [len(text.encode()) for text in texts]
    bits = [value / math.log(2) for value in nats]
    full = [place for place, size in enumerate(sizes) if size]
    interval = bootstrap_ratio([bits[place] for place in full], [sizes[place] for place in full])
    tokens = sum(len(ids) for ids in coded)
    return Compression(sum(bits) / sum(sizes), interval, sum(sizes), tokens, len(texts))


def cut(documents: Sequence[Sequence[int]], end: int, length: int) -> Iterator[Window]:
    """Windows that judge every token of every document once.

    >>> [(w.ids, w.scored) for w in cut([[5, 6, 7, 8, 9]], end=0, length=4)]
    [([0, 5, 6, 7, 8], 4), ([6, 7, 8, 9], 1)]
    """
    for number, document in enumerate(documents):
        ids = [end, *document]
        done = 1  # ids[:done] are context only
        while done < len(ids):
            start = 0 if done == 1 else done - length // 2 - 1
            stop = min(len(ids), start + length + 1)
            yield Window(number, list(ids[start:stop]), stop - done)
            done = stop


@torch.inference_mode()
def _losses(model: nn.Module, windows: list[Window], device: torch.device) -> list[float]:
    """Summed nats of each window's scored tokens."""
    longest = max(len(window.ids) for window in windows)
    ids = torch.tensor([window.ids + [0] * (longest - len(window.ids)) for window in windows], device=device)
    logits: Tensor = model(ids[:, :-1]).logits  # padding lies behind what is judged: a causal model never sees it
    nats = F.cross_entropy(logits.float().transpose(1, 2), ids[:, 1:], reduction="none")
    return [
        float(row[len(window.ids) - 1 - window.scored : len(window.ids) - 1].sum())
        for row, window in zip(nats, windows, strict=True)
    ]


def baselines(texts: Sequence[str]) -> dict[str, float]:
    """Bits per byte of gzip -9, zstd -19 and xz -9 on the same bytes in one piece."""
    data = "".join(texts).encode()
    zstd = pa.Codec("zstd", compression_level=19).compress(data, asbytes=True)
    sizes = {
        "gzip -9": len(gzip.compress(data, 9)),
        "zstd -19": len(zstd),
        "xz -9": len(lzma.compress(data, preset=9)),
    }
    return {name: 8 * size / len(data) for name, size in sizes.items()}


def xz_that_has_read(training: Sequence[str], texts: Sequence[str]) -> float:
    """Bits per byte that xz -9 needs for the texts when the training text lies before them (64 MB dictionary)."""
    before, data = "".join(training).encode(), "".join(texts).encode()
    both = len(lzma.compress(before + data, preset=9))
    return 8 * (both - len(lzma.compress(before, preset=9))) / len(data)
