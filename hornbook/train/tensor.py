"""Tensor parallelism: ranks share a layer's matrices and heads, by the plan that stands beside each sublayer.

Shoeybi et al. 2019, Megatron-LM (arXiv 1909.08053): one message after every sublayer. Korthikanti et al. 2022 (arXiv
2205.05198, section 4.2.2), sequence parallelism: between the sublayers every rank keeps its share of the tokens only,
and norms and sums are done once and not on every rank. The table of tokens is cut by its rows, the head with it. Inside
a sublayer tensors are plain ones of local heads, so that our own kernels see nothing of this; torch's DTensor plans do
the messages around them.
"""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Placement, Replicate, Shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    ParallelStyle,
    PrepareModuleInput,
    PrepareModuleOutput,
    RowwiseParallel,
    parallelize_module,
)

from hornbook.core.errors import UserError
from hornbook.model.embed import TokenEmbedding
from hornbook.model.head import Head
from hornbook.model.op import Op
from hornbook.model.position import PositionBase
from hornbook.model.residual import Residual
from hornbook.model.shape import ModelBase
from hornbook.model.stack import LayerStack

Owner = tuple[nn.Module, str]  # whose parameter, and its name there
WHOLE, TOKENS = Replicate(), Shard(1)  # the stream is (batch, time, dim)


def share_layers(model: nn.Module, mesh: DeviceMesh, *, sequence: bool) -> list[Owner]:
    """Cut a model among the ranks of a mesh of one axis, in place; parameters whose gradients they must add up."""
    wired = [module for module in model.modules() if isinstance(module, Residual)]
    partial = [owner for each in wired for owner in _share(each, mesh, sequence)]
    for module in model.modules():
        if isinstance(module, PositionBase):
            module.cut(mesh.get_local_rank(), mesh.size())
            _cut(module, module.plan, mesh, WHOLE)
    for module in list(model.modules()):
        if isinstance(module, TokenEmbedding):
            parallelize_module(module, mesh, {"table": RowwiseParallel(input_layouts=WHOLE, output_layouts=WHOLE)})
        if isinstance(module, Head):
            parallelize_module(module, mesh, ColwiseParallel(output_layouts=WHOLE))
    if isinstance(model, ModelBase):
        model.tie()
    return partial + (_by_tokens(model, mesh) if sequence else [])


def _share(residual: Residual, mesh: DeviceMesh, sequence: bool) -> Iterator[Owner]:
    """One sublayer, and those inside it."""
    op, stream = residual.op, TOKENS if sequence else WHOLE
    ops = [module for module in op.modules() if isinstance(module, Op)]
    for each in ops:
        try:
            each.cut(mesh.size())
        except ValueError as error:
            raise UserError(f"mesh.tensor: {error}") from None
        if each.plan is None:
            raise UserError(f"mesh.tensor: {type(each).__name__} has no plan by which ranks share it; set tensor: 1")
        yield from _partial(each)
        _cut(each, each.plan, mesh, stream if each is op else WHOLE)
    assert isinstance(op, Op)
    if op.plan:  # its matrices are given the gathered tokens as they are, so that their gradients travel once
        told = PrepareModuleInput(
            input_layouts=(stream, None, None), desired_input_layouts=(WHOLE, None, None), use_local_output=False
        )
        parallelize_module(op, mesh, told)
    elif sequence:
        told = PrepareModuleInput(
            input_layouts=(stream, None, None), desired_input_layouts=(WHOLE, None, None), use_local_output=True
        )
        parallelize_module(op, mesh, told)
        parallelize_module(op, mesh, PrepareModuleOutput(output_layouts=WHOLE, desired_output_layouts=TOKENS))


def _cut(module: nn.Module, plan: Any, mesh: DeviceMesh, stream: Placement) -> None:
    styles: dict[str, ParallelStyle] = {
        name: ColwiseParallel() if how == "columns" else RowwiseParallel(output_layouts=stream)
        for name, how in plan.items()
        if how != "partial"
    }
    parallelize_module(module, mesh, styles)


def _partial(op: Op) -> Iterator[Owner]:
    for name, how in (op.plan or {}).items():
        if how == "partial":
            yield from _parameters(getattr(op, name))


def _parameters(module: nn.Module) -> list[Owner]:
    return [(each, name) for each in module.modules() for name, own in each._parameters.items() if own is not None]


def _by_tokens(model: nn.Module, mesh: DeviceMesh) -> list[Owner]:
    """Let the stream between sublayers be shares of the tokens; the norms, which then see only these."""
    stacks = [module for module in model.modules() if isinstance(module, LayerStack)]
    norms = [stack.final_norm for stack in stacks]
    for stack in stacks:
        stack.register_forward_pre_hook(_take_share(mesh))
        stack.register_forward_hook(_gather(mesh))
    for residual in (module for module in model.modules() if isinstance(module, Residual)):
        norms += [residual.norm, *([residual.after] if residual.placement == "sandwich" else [])]
    return [owner for norm in norms for owner in _parameters(norm)]


def _take_share(mesh: DeviceMesh) -> Any:
    def share(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        x: Tensor = args[0]
        if x.shape[1] % mesh.size():
            raise UserError(
                f"mesh.sequence: rows of {x.shape[1]} tokens are not shared by {mesh.size()} ranks alike; "
                "set sequence: false"
            )
        here = DTensor.from_local(x, mesh, [WHOLE], run_check=False).redistribute(placements=[TOKENS])
        return here.to_local(), *args[1:]

    return share


def _gather(mesh: DeviceMesh) -> Any:
    def gather(_: nn.Module, args: tuple[Any, ...], x: Tensor) -> Tensor:  # noqa: ARG001 -- as torch calls a hook
        whole = DTensor.from_local(x, mesh, [TOKENS], run_check=False).redistribute(placements=[WHOLE])
        return whole.to_local().clone()  # no view, which FSDP2 warns of

    return gather
