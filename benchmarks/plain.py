"""What both training benchmarks use: the plain loop that is the peer, and rows and a listener for our own.

The plain loop is written here in the manner of nanoGPT, which is what people compare with: one product for query, key
and value, PyTorch's causal attention kernel, exact GELU, layer norms before the sublayers, a head tied to the
embedding, fused AdamW with decay on everything of two dimensions, gradients clipped to a norm of 1.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from hornbook.core.run import Row
from hornbook.data.batches import WindowSource
from hornbook.data.shards import Split


class Block(nn.Module):
    """Attention, then an MLP, each added to the stream."""

    def __init__(self, dim: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(dim, bias=bias), nn.LayerNorm(dim, bias=bias)
        self.qkv, self.mix = nn.Linear(dim, 3 * dim, bias=bias), nn.Linear(dim, dim, bias=bias)
        self.up, self.down = nn.Linear(dim, 4 * dim, bias=bias), nn.Linear(4 * dim, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        rows, length, dim = x.shape
        parts = self.qkv(self.norm_1(x)).split(dim, dim=2)
        q, k, v = (part.view(rows, length, self.heads, dim // self.heads).transpose(1, 2) for part in parts)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(seen.transpose(1, 2).contiguous().view(rows, length, dim))
        result: Tensor = x + self.down(F.gelu(self.up(self.norm_2(x))))
        return result


class PlainGPT(nn.Module):
    """ids (rows, length) -> logits (rows, length, vocab)"""

    def __init__(self, *, vocab: int, length: int, layers: int, dim: int, heads: int, bias: bool = True) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocab, dim), nn.Embedding(length, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, bias) for _ in range(layers))
        self.norm = nn.LayerNorm(dim, bias=bias)
        self.head = nn.Linear(dim, vocab, bias=False)
        self.head.weight = self.tokens.weight
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                writes = name.endswith(("mix.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if writes else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.places(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x))
        return logits


def adamw(model: nn.Module, *, lr: float, beta2: float) -> torch.optim.AdamW:
    """Fused AdamW, weight decay 0.1 on matrices and tables."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, beta2), fused=True)


def train_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, ids: Tensor, labels: Tensor, *, precision: str = "fp32"
) -> float:
    """Loss (nats per token), gradient, clip, step."""
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        logits = model(ids)
        logits = getattr(logits, "logits", logits)  # transformers wraps them
        loss = F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def rows_of(ids: NDArray[Any], length: int, *, seed: int) -> WindowSource:
    """Windows of ids that are in memory and no file: one document."""
    table, names = np.array([[0, 0, 0], [len(ids), 0, len(ids)]]), np.zeros(0, np.uint8)
    split = Split("train", Path(), ids, table, names, end=0, fingerprint="", characters=len(ids))
    return WindowSource(split, length, length, seed=seed)


class Ear:
    """A listener of the trainer that remembers the last loss, nats per token."""

    loss = 0.0

    def step(self, row: Row, total: int, seconds_left: float) -> None:  # noqa: ARG002 (the trainer says them)
        self.loss = row["loss"]

    def validated(self, row: Row) -> None: ...

    def sampled(self, rows: list[Row]) -> None: ...

    def note(self, text: str) -> None:
        print(text)
