"""Causal attention by attention.c, forwards and backwards, where that is the faster way: on a CPU, without a mask.

PyTorch's kernel for CPUs takes 13 % of a training step at 10 million parameters, in bf16 24 %; this one half of it. The
numbers are those of `F.scaled_dot_product_attention(..., is_causal=True)`, rounded here and there in the last place; of
bf16 all sums are fp32.
"""

import ctypes
from typing import Any, ClassVar

import torch
from torch import Tensor

from hornbook.model import native

NUMBERS = (torch.float32, torch.bfloat16)  # in the order of products.c
LANES = 16  # a head's channels are a multiple of this
SHORT = 64  # tokens up to which torch's kernel is as fast in fp32


class Shape(ctypes.Structure):
    """As attention.c has it."""

    _fields_: ClassVar[native.Fields] = [
        *((name, ctypes.c_int64) for name in ("batch", "heads", "shared", "time", "width")),
        *((name, ctypes.c_int64 * 3) for name in ("q", "k", "v", "o")),
        ("scale", ctypes.c_float),
        *((name, ctypes.c_int32) for name in ("kind", "threads")),
    ]


def fits(q: Tensor, k: Tensor, v: Tensor) -> bool:
    """Whether the kernel does it: q (batch, heads, time, width), k and v (batch, kv_heads, time, width)."""
    plain = q.device.type == "cpu" and q.dtype in NUMBERS and q.shape[2] == k.shape[2] > 1
    alike = q.shape[3] % LANES == 0 and q.shape[3] == v.shape[3] and not torch.compiler.is_compiling()
    return plain and alike and (q.shape[2] > SHORT or q.dtype == torch.bfloat16) and native.there()


def attention(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """softmax(q k^T * scale) v over the token itself and those before it: (batch, heads, time, width)."""
    if torch.is_autocast_enabled("cpu"):
        q, k, v = (each.to(torch.get_autocast_dtype("cpu")) for each in (q, k, v))
    answer: Tensor = _Causal.apply(q, k, v, scale)  # type: ignore[no-untyped-call]  # torch's
    return answer


class _Causal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        q, k, v = (each if each.stride(3) == 1 else each.contiguous() for each in (q, k, v))
        answer, kept = _like(q), q.new_empty(*q.shape[:3], 2, dtype=torch.float32)
        shape = _shape(q, k, v, answer, scale)
        native.call("attention", shape, q, k, v, answer, kept)
        ctx.save_for_backward(q, k, v, kept)
        ctx.scale = scale
        return answer

    @staticmethod
    def backward(ctx: Any, told: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, kept = ctx.saved_tensors
        told = told.to(q.dtype) if told.stride(3) == 1 else told.to(q.dtype).contiguous()
        found = _like(q), _like(k), _like(v)
        native.call("attention_back", _shape(q, k, v, told, ctx.scale), q, k, v, told, kept, *found)
        return *found, None


def _like(x: Tensor) -> Tensor:
    """(batch, heads, time, width), lying as (batch, time, heads, width): then the heads of a token are one vector."""
    batch, heads, time, width = x.shape
    return x.new_empty(batch, time, heads, width).transpose(1, 2)


def _shape(q: Tensor, k: Tensor, v: Tensor, o: Tensor, scale: float) -> Shape:
    steps = {name: (ctypes.c_int64 * 3)(*each.stride()[:3]) for name, each in zip("qkvo", (q, k, v, o), strict=True)}
    sizes = {"batch": len(q), "heads": q.shape[1], "shared": k.shape[1], "time": q.shape[2], "width": q.shape[3]}
    return Shape(**sizes, **steps, scale=scale, kind=NUMBERS.index(q.dtype), threads=torch.get_num_threads())
