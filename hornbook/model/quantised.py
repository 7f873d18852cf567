"""A model whose matrices lie in 8 bits, 4 bits or bf16: smaller, and faster where reading them is what takes the time.

    pack(model, "int8")            # in place; for writing and scoring, not for training

A text is written token by token, and for each token every matrix is read once: half the bytes, half the time. 8 and 4
bits are symmetric, with a scale (fp16) for each 32 numbers of a row, as in llama.cpp's Q8_0 and Q4_0 (8.5 and 4.5 bits
a number). The table of the embeddings where it is also the head, and every head, keep 8 bits with `int4`. Norms and
biases stay as they are. Left out: matrices that their module reads by itself (a router's, Mamba's `step`).

The kernels of products.c also bring the vectors to 8 bits (groups of 32, a scale each), where a plain product does not:
each number of a vector is off by at most 1/254 of the largest of its group. Which of the two is faster, for how many
vectors at once, is measured when a model is quantised: a few milliseconds for each size of matrix.
"""

import time
from collections.abc import Callable
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.model import native
from hornbook.model.blank import Linear
from hornbook.model.head import Head

Kind = Literal["int8", "int4", "bf16"]
GROUP = 32  # numbers of a row that share a scale
LANES = 16  # rows that lie together, a few numbers of each in turn: see products.c
BITS = {"int8": 8, "int4": 4}
OWN_WEIGHT = frozenset({"router", "step", "enter"})  # names of matrices that their modules read by themselves
ROWS = (1, 8, 64)  # vectors at once that are tried
NEVER, ALWAYS = 0, 1 << 30
CUTS = (1.0, 0.96, 0.92, 0.88, 0.84, 0.8)  # of the largest number of a group: it may be cut to spare the rest


class Packed(nn.Module):
    """A matrix in few bytes, in the place of a Linear's adapter."""

    def __init__(self, weight: Float[Tensor, "outputs inputs"], kind: Kind) -> None:
        super().__init__()
        self.kind, self.shape, self.dtype = kind, weight.shape, weight.dtype
        weight = weight.detach().float()
        numbers, scales = _bytes(weight, BITS[kind]) if kind in BITS else (_halves(weight), weight.new_empty(0))
        self.register_buffer("numbers", numbers, persistent=False)
        self.register_buffer("scales", scales, persistent=False)
        self.product = native.products().get(kind) if numbers.device.type == "cpu" else None
        self.few = ALWAYS if self.product else NEVER  # up to how many vectors at once `product` is taken

    numbers: Tensor
    scales: Tensor

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: ARG002 -- of no rows
        """x W^T + b"""
        if self.product is not None and x.numel() <= self.few * self.shape[1] and self.numbers.device.type == "cpu":
            answer: Tensor = self.product(self.numbers, self.scales, x.float(), self.shape[0]).to(x.dtype)
            return answer if bias is None else answer + bias
        return F.linear(x, self.matrix().to(x.dtype), bias)

    def matrix(self) -> Float[Tensor, "outputs inputs"]:
        """The numbers again, in fp32."""
        return self.rows(torch.arange(self.shape[0], device=self.numbers.device)).float()

    def rows(self, ids: Tensor) -> Float[Tensor, "*ids inputs"]:
        """Some rows of the matrix, as the table of an embedding gives them."""
        blocks, lanes = ids.flatten() // LANES, ids.flatten() % LANES
        numbers = self.numbers[blocks, ..., lanes, :]  # (ids, ..., as many numbers as lie together)
        if self.kind == "bf16":
            found = numbers.flatten(1)
        else:
            if self.kind == "int4":
                numbers = torch.cat([numbers & 15, numbers >> 4], 2)
            groups = numbers.flatten(2).float() - 2 ** (BITS[self.kind] - 1)
            found = (groups * self.scales[blocks, :, lanes, None].float()).flatten(1)
        return found[:, : self.shape[1]].to(self.dtype).view(*ids.shape, self.shape[1])

    @property
    def bytes(self) -> int:
        """Memory taken."""
        return sum(each.numel() * each.element_size() for each in (self.numbers, self.scales))

    def _save_to_state_dict(self, *_: object) -> None:
        raise UserError("the model is quantised, and its folder keeps whole numbers; save it before it is quantised")


class Table(nn.Module):
    """An embedding whose rows are those of a packed matrix."""

    def __init__(self, packed: Packed) -> None:
        super().__init__()
        self.packed = packed
        self.num_embeddings, self.embedding_dim = packed.shape

    def forward(self, ids: Tensor) -> Tensor:
        """(...) -> (..., width)"""
        return self.packed.rows(ids)


def pack(model: nn.Module, kind: Kind) -> None:
    """Pack every matrix of a model, in place; it cannot be trained or saved any more."""
    if kind not in get_args(Kind):
        raise UserError(f"quantise: {kind!r} is no way to store a matrix; take {', '.join(get_args(Kind))}")
    linears = {name: module for name, module in model.named_modules() if isinstance(module, Linear)}
    if any(each.adapter is not None for each in linears.values()):
        raise UserError("quantise: the model has an adapter or is quantised already; merge the adapter first")
    model.requires_grad_(False)
    packed: dict[int, Packed] = {}  # by the matrix: tied ones are packed once
    limits: dict[tuple[str, torch.Size], int] = {}
    for name, linear in linears.items():
        if name.rpartition(".")[2] in OWN_WEIGHT:
            continue
        before = linear.weight
        if id(before) not in packed:
            made = Packed(before, "int8" if kind == "int4" and isinstance(linear, Head) else kind)
            made.few = limits.setdefault((made.kind, made.shape), -1)
            if made.few < 0:
                made.few = limits[made.kind, made.shape] = _few(made)
            packed[id(before)] = made
        linear.adapter = packed[id(before)]
    _share_tables(model, packed)
    for linear in linears.values():
        if isinstance(linear.adapter, Packed):
            linear.weight = nn.Parameter(linear.weight.new_empty(0, linear.in_features), requires_grad=False)


def _share_tables(model: nn.Module, packed: dict[int, Packed]) -> None:
    """Embeddings that are also a head read its packed rows."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Embedding) and id(child.weight) in packed:
                setattr(module, name, Table(packed[id(child.weight)]))


def chosen(model: nn.Module) -> dict[str, int]:
    """What was measured: kind and size of matrix -> up to how many vectors at once products.c is taken (0: never)."""
    found = {each for each in model.modules() if isinstance(each, Packed)}
    return {f"{each.kind} {each.shape[0]}x{each.shape[1]}": each.few for each in found}


def stored_bytes(model: nn.Module) -> int:
    """Memory that the numbers of a model take, what is shared counted once."""
    tensors = {each.data_ptr(): each for each in (*model.parameters(), *model.buffers()) if each.numel()}
    return sum(each.numel() * each.element_size() for each in tensors.values())


def _bytes(weight: Float[Tensor, "outputs inputs"], bits: int) -> tuple[Tensor, Tensor]:
    """Numbers and scales (fp16, one for every 32) as products.c reads them.

    (blocks, groups, bits, lanes, 4) and (blocks, groups, lanes): 4 numbers of each of 16 rows lie together, and in 4
    bits the first half of a group shares its bytes with the second. Filled up with zeros.
    """
    groups = _filled(weight, GROUP)
    groups = groups.view(len(groups), -1, GROUP)
    top, best, scales = 2 ** (bits - 1) - 1, torch.full_like(groups[..., 0], torch.inf), groups[..., 0]
    for share in (1.0,) if bits == 8 else CUTS:
        tried = (groups.abs().amax(-1) * (share / top)).half()
        error = (_rounded(groups, tried, top) * tried[..., None].float() - groups).square().sum(-1)
        scales, best = torch.where(error < best, tried, scales), torch.minimum(best, error)
    numbers = (_rounded(groups, scales.half(), top) + top + 1).to(torch.uint8)
    numbers = numbers.view(-1, LANES, groups.shape[1], GROUP // 4, 4).permute(0, 2, 3, 1, 4)
    if bits == 4:
        numbers = numbers[:, :, :4] | numbers[:, :, 4:] << 4
    return numbers.contiguous(), scales.half().view(-1, LANES, groups.shape[1]).transpose(1, 2).contiguous()


def _halves(weight: Float[Tensor, "outputs inputs"]) -> Tensor:
    """bf16 as products.c reads it, (blocks, pairs, lanes, 2): two numbers of each of 16 rows lie together."""
    filled = _filled(weight, 2)
    return filled.bfloat16().view(-1, LANES, filled.shape[1] // 2, 2).transpose(1, 2).contiguous()


def _filled(weight: Tensor, together: int) -> Tensor:
    """With zeros, up to whole blocks of rows and groups of numbers."""
    return F.pad(weight, (0, -weight.shape[1] % together, 0, -weight.shape[0] % LANES))


def _rounded(groups: Tensor, scales: Tensor, top: int) -> Tensor:
    """The nearest whole numbers, 0 where a group is all zeros."""
    scales = scales.float()[..., None]
    return (groups / torch.where(scales > 0, scales, 1)).round().clamp(-top - (top == 7), top)


@torch.inference_mode()
def _few(packed: Packed) -> int:
    """Up to how many vectors at once the kernel is faster than a plain product."""
    if packed.product is None:
        return NEVER
    limit = NEVER
    for rows in ROWS:
        x = torch.zeros(rows, packed.shape[1], device=packed.numbers.device)
        packed.few = ALWAYS
        ours = _seconds(lambda x=x: packed(x, x, None))  # type: ignore[misc]
        packed.few = NEVER
        if ours > _seconds(lambda x=x: packed(x, x, None)):  # type: ignore[misc]
            return limit
        limit = rows if rows < ROWS[-1] else ALWAYS
    return limit


def _seconds(call: Callable[[], Tensor], times: int = 3) -> float:
    """The shortest of a few, each with the matrix out of the caches, as it is when a token is written."""
    call()
    found, other = [], torch.zeros(1 << 24)
    for _ in range(times):
        other.sum()
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)
