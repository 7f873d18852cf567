"""Every parameter has its place: nothing is lost, nothing twice; as `fully_shard` cuts on real ranks."""

import pytest
import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.model.decoder import Decoder
from hornbook.plan.placement import collectives, place, rank_numbers
from hornbook.train import zero
from hornbook.train.mesh import Mesh
from tests.train.ranks import run


def test_175_billion_on_1024_ranks() -> None:
    model: Decoder = recipe.load(Decoder, "models/gpt3-175b")
    mesh = Mesh(data=2, shard=8, tensor=8, pipeline=8)
    placed = place(model, mesh)
    held = rank_numbers(placed, mesh)
    vectors = sum(each.numbers(at) for each in placed if each.tensor == 1 for at in range(8))
    total = sum(torch.Size(each.shape).numel() for each in placed)
    assert mesh.sizes(1024)
    assert total == pytest.approx(175e9, rel=0.01)
    assert 8 * (sum(held.values()) - vectors) + vectors == total
    assert max(held.values()) < 1.1 * total / 512
    assert collectives(96, mesh, 16)["reduce_scatter (shard)"] == 13 * 16


def _small() -> Decoder:
    sizes = ["length=16", "dim=36", "embed.vocab=61", "stack.layers=2", "stack.layer.0.heads=4"]
    found: Decoder = recipe.load(Decoder, "models/gpt2-tiny", sizes)
    return found


def _pieces() -> tuple[int, dict[str, int]]:
    mesh = init_device_mesh("cpu", (8,), mesh_dim_names=("shard",))
    model: nn.Module = _small().build()
    zero.share_weights(model, mesh, 3)
    numbers = {name: each.to_local().numel() for name, each in model.named_parameters()}  # type: ignore[operator]
    return mesh.get_local_rank("shard"), numbers


@pytest.mark.slow
def test_eight_real_ranks_hold_what_was_said() -> None:
    placed = place(_small(), Mesh(shard=8))
    for at, numbers in run(8, _pieces):
        assert {each.name: each.numbers(at) for each in placed} == numbers


def test_stages_that_do_not_divide_the_layers() -> None:
    with pytest.raises(UserError, match=r"mesh.pipeline: 3 stages do not divide 2 layers"):
        place(_small(), Mesh(pipeline=3))
