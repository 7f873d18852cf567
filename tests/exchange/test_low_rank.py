"""What parts of a matrix learned, as one: nothing is lost there, and the parts come back."""

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.exchange.low_rank import Learned, join, split
from hornbook.exchange.weights import ROWS, TRANSPOSED, Interleaved, Layout, Reshaped, Weight

OUTPUTS = (8, 4, 4)


def parts(*, magnitude: bool = False, rank: int = 3) -> list[Learned]:
    draw = torch.Generator().manual_seed(0)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw)

    return [Learned(some(rank, 6), some(rows, rank), 2.0, some(rows) if magnitude else None) for rows in OUTPUTS]


def weight(layout: Layout) -> Weight:
    return Weight("qkv.weight", ("q.weight", "k.weight", "v.weight"), layout)


@pytest.mark.parametrize("layout", [ROWS, TRANSPOSED, Interleaved(4)])
@pytest.mark.parametrize("magnitude", [False, True])
def test_the_product_of_the_whole_is_the_products_of_its_parts(layout: Layout, magnitude: bool) -> None:
    ours = parts(magnitude=magnitude)
    whole = join(weight(layout), ours)
    rows = ROWS if layout is TRANSPOSED else layout
    torch.testing.assert_close(whole.up @ whole.down, rows.join([each.up @ each.down for each in ours]))
    assert (whole.rank, whole.scale) == (9, 2.0)
    for back, each in zip(split(weight(layout), whole, OUTPUTS), ours, strict=True):
        assert torch.equal(back.up, each.up)
        assert torch.equal(back.down, each.down)
        assert (back.magnitude is None) == (each.magnitude is None)
        if each.magnitude is not None:
            assert torch.equal(back.magnitude, each.magnitude)


@pytest.mark.parametrize("layout", [ROWS, TRANSPOSED, Interleaved(4)])
def test_what_was_learned_as_one_is_split_by_rows(layout: Layout) -> None:
    draw = torch.Generator().manual_seed(0)
    theirs = Learned(torch.randn(3, 6, generator=draw), torch.randn(16, 3, generator=draw), 0.5)
    ours = split(weight(layout), theirs, OUTPUTS)
    assert all(torch.equal(each.down, theirs.down) for each in ours)
    rows = ROWS if layout is TRANSPOSED else layout
    torch.testing.assert_close(rows.join([each.up @ each.down for each in ours]), theirs.up @ theirs.down)


def test_parts_that_learned_at_different_scales_are_no_whole() -> None:
    one, two, three = parts()
    with pytest.raises(UserError, match=r"qkv\.weight is one matrix to other programs, and its parts learned at dif"):
        join(weight(ROWS), [one, Learned(two.down, two.up, 1.0), three])


def test_what_is_no_plain_matrix_elsewhere_is_refused() -> None:
    with pytest.raises(UserError, match="leave it out of the adapter's targets"):
        join(Weight("patches.weight", ("pixels.weight",), Reshaped((-1, 3, 4, 4))), parts()[:1])
