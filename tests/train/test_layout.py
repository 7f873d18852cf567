"""A mesh trains as one process does: the same losses at every step, whatever the ranks share."""

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.tensor import Shard

from hornbook.core.errors import UserError
from hornbook.optim.muon import Muon
from hornbook.train.layout import Layout, lay_out
from hornbook.train.mesh import Mesh
from hornbook.train.parallel import Ranks
from tests.train.laid_out import KINDS, alone, farthest, still, together
from tests.train.ranks import run

CLOSE = 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_replicas(kind):
    assert farthest(alone(kind), together(2, kind, Mesh(data=2))) < CLOSE


def test_replicas_of_pieces_with_rows_that_do_not_divide():
    """7 rows on 4 readers, two at a time: some ranks have fewer passes, and wait for no one."""
    ours = together(4, "llama", Mesh(data=2, shard=2), rows_per_step=7)
    assert farthest(alone("llama", rows_per_step=7), ours) < CLOSE


def test_a_norm_is_of_the_whole_gradient():
    ours, theirs = alone("gpt2", steps=12), together(2, "gpt2", Mesh(shard=2), steps=12)
    assert max(abs(a[1] - b[1]) for a, b in zip(ours, theirs, strict=True)) < CLOSE


def test_half_precision_with_its_scale():
    """Rounding differs, for the sums are cut elsewhere; an overflow would end one rank's step and not the other's."""
    more = {"precision": "fp16", "optimizer": Muon(), "steps": 12}
    assert farthest(alone("llama", **more), together(2, "llama", Mesh(shard=2, zero=2), **more)) < 2e-4


def norms_of_mixed() -> float:
    layout = Layout(torch.distributed.get_rank(), 4, Mesh(data=2, shard=2), Mesh(data=2, shard=2).build(4, "cpu"))
    assert layout.mesh is not None
    whole, cut = nn.Parameter(torch.ones(3)), torch.arange(6.0).reshape(3, 2)
    shared = nn.Parameter(torch.distributed.tensor.distribute_tensor(cut, layout.mesh["shard"], [Shard(0)]))
    whole.grad, shared.grad = torch.ones(3), shared.detach().clone()
    return layout.clip([whole, shared], None)


def test_a_piece_counts_once():
    """The replicated (1, 1, 1) once and not four times, the rows (0 1, 2 3, 4 5) in pieces of two and one."""
    assert run(4, norms_of_mixed) == pytest.approx([58**0.5] * 4)


def test_without_a_mesh_nothing_changes():
    ranks = Ranks()
    assert lay_out(ranks, None, still("gpt2")) is ranks


def test_a_world_that_does_not_fit():
    with pytest.raises(UserError, match="mesh: tensor 2 does not divide 1 process"):
        lay_out(Ranks(), Mesh(tensor=2), still("gpt2"))


def disagree() -> str:
    rank = torch.distributed.get_rank()
    try:
        Ranks(rank, 3).agree("one recipe" if rank != 2 else "another")
    except UserError as error:
        return str(error)
    return ""


def test_ranks_with_another_recipe_are_named():
    for said in run(3, disagree):
        assert said.startswith("process 2: its recipe or its version is not that of process 0; start all with")


def in_pieces(name: str) -> str:
    """What a rank is told that cuts this model."""
    try:
        lay_out(Ranks(dist.get_rank(), dist.get_world_size()), Mesh(shard=2), still(name))
    except UserError as error:
        return str(error)
    return ""


def test_a_mixture_is_not_cut_into_pieces():
    assert run(2, in_pieces, "gpt2") == ["", ""]
    assert (
        run(2, in_pieces, "mixtral")
        == ["mesh.shard: a mixture of experts is not cut into pieces yet; set it to 1, use data or tensor"] * 2
    )
