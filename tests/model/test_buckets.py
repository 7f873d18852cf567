"""T5's buckets beside transformers' function, over all distances and settings."""

import pytest
import torch

from hornbook.model.buckets import Buckets, bucket
from hornbook.model.position import Place

t5 = pytest.importorskip("transformers.models.t5.modeling_t5")


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "max_distance"), [(32, 128), (8, 12), (64, 1000), (12, 20)])
def test_every_distance_is_in_t5s_bucket(bidirectional: bool, buckets: int, max_distance: int) -> None:
    ahead = torch.arange(-1200, 1200)[None]
    config = Buckets(buckets=buckets, max_distance=max_distance, bidirectional=bidirectional)
    want = t5.T5Attention._relative_position_bucket(  # where the reference is
        ahead, bidirectional=bidirectional, num_buckets=buckets, max_distance=max_distance
    )
    assert torch.equal(bucket(ahead, config), want)
    assert (want.max() < buckets).item()


def test_the_bias_is_the_tables_row_of_each_distance() -> None:
    position = Buckets(buckets=8, max_distance=12).build(Place(0, 3, 0, 0))
    torch.nn.init.normal_(position.table.weight)
    bias = position.bias(torch.tensor([4, 5]), torch.arange(6))
    assert bias.shape == (3, 2, 6)
    torch.testing.assert_close(bias[:, 0, 3], bias[:, 1, 4])
    torch.testing.assert_close(bias[:, 0, 4], position.table.weight[0])


def test_buckets_that_leave_no_room_are_refused() -> None:
    with pytest.raises(ValueError, match="leave no room; T5 has 32 and 128"):
        Buckets(buckets=2)
    with pytest.raises(ValueError, match="leave no room"):
        Buckets(max_distance=8)
