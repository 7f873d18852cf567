"""Several LoRA adapters on one model, of which each row of a batch has one or none, so that all share its weights.

    put_beside(model, "law", content)         # in place; as often as there are adapters
    with chosen(["law", None, "verse"]):      # a name a row; outside of it the model is itself
        model(ids, state=state)

The matrix is read once for all rows; then each adapter that some row has adds its narrow product, times 0 in the rows
of the others. (Punica, Chen et al. 2023, section 4, gathers instead by a kernel of its own; with few rows there is
little to gain.) Left out: DoRA, which changes what the matrix itself says, modules that learned whole, and matrices
that do not see the rows as such, as those of experts; such an adapter needs a model of its own (`fits`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatchcase

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from hornbook.adapt.adapter import LEFT_OUT
from hornbook.core.errors import UserError
from hornbook.exchange.low_rank import Learned
from hornbook.exchange.peft import Content
from hornbook.model.blank import Linear
from hornbook.model.experts import ExpertsOp
from hornbook.model.long_filter import LongFilter

ROWLESS = (ExpertsOp, LongFilter)  # their matrices see tokens or times, whichever rows these are of
Chosen = tuple[tuple[str, Float[Tensor, " rows"] | None], ...]  # adapter, and 1 for its rows; None: all are
CHOSEN: ContextVar[Chosen] = ContextVar("CHOSEN", default=())  # of this thread: others use the model meanwhile


class Beside(nn.Module):
    """What the adapters have learned beside one matrix."""

    def __init__(self, before: nn.Module | None) -> None:
        """before: what multiplied in the matrix's place (a packed one); None: the matrix itself."""
        super().__init__()
        self.before = before
        self.learned: dict[str, Learned] = {}

    def forward(
        self, x: Float[Tensor, "rows *more inputs"], weight: Float[Tensor, "outputs inputs"], bias: Tensor | None
    ) -> Float[Tensor, "rows *more outputs"]:
        """What the matrix says of x, and what each row's adapter adds."""
        answer: Tensor = F.linear(x, weight, bias) if self.before is None else self.before(x, weight, bias)
        for name, rows in CHOSEN.get():
            if name in self.learned:
                answer = _onto(answer, x, self.learned[name], rows)
        return answer


def _onto(answer: Tensor, x: Tensor, learned: Learned, rows: Tensor | None) -> Tensor:
    """An answer, and what was learned in some rows; as LowRank.onto computes it for all."""
    inner = F.linear(x.to(learned.down.dtype), learned.down) * learned.scale
    if rows is not None:
        assert len(rows) == len(x), "a matrix that does not see the rows of the batch"
        inner = inner * rows.view(-1, *[1] * (x.dim() - 1))
    flat, up = answer.reshape(-1, answer.shape[-1]), learned.up.t().to(answer.dtype)
    return torch.addmm(flat, inner.reshape(-1, learned.rank).to(flat.dtype), up).view_as(answer)


@contextmanager
def chosen(names: Sequence[str | None], device: torch.device | None = None) -> Iterator[None]:
    """Within it row i of every batch has the adapter names[i]; a single name is for as many rows as there are."""
    different = dict.fromkeys(name for name in names if name is not None)
    alike = len(set(names)) == 1
    rows = {name: None if alike else torch.tensor([float(name == each) for each in names]) for name in different}
    before = CHOSEN.set(tuple((name, None if each is None else each.to(device)) for name, each in rows.items()))
    try:
        yield
    finally:
        CHOSEN.reset(before)


def fits(module: nn.Module, content: Content) -> bool:
    """Whether rows that have this adapter may stand in one batch with others."""
    if content.whole or any(each.magnitude is not None for each in content.learned.values()):
        return False
    apart = {
        f"{name}.{inner}"
        for name, each in module.named_modules()
        if isinstance(each, ROWLESS)
        for inner, _ in each.named_modules()
    }
    return not any(place in apart or fnmatchcase(place, pattern) for place in content.learned for pattern in LEFT_OUT)


def put_beside(module: nn.Module, name: str, content: Content) -> None:
    """Let rows of a model, which may be packed, have one adapter more, in place."""
    if name in names(module):
        raise UserError(f"adapter: two have the name {name}; give one another")
    for place, learned in content.learned.items():
        linear = module.get_submodule(place)
        assert isinstance(linear, Linear)
        if not isinstance(linear.adapter, Beside):
            linear.adapter = Beside(linear.adapter)
        device = next(module.parameters()).device
        down, up = (each.float().to(device) for each in (learned.down, learned.up))
        linear.adapter.learned[name] = Learned(down, up, learned.scale)


def names(module: nn.Module) -> set[str]:
    """The adapters that rows of a model may have."""
    return {name for each in module.modules() if isinstance(each, Beside) for name in each.learned}
