"""ALiBi beside the paper's code, written down independently."""

import math

import pytest
import torch

from hornbook.model.alibi import Alibi, slopes
from hornbook.model.position import Place


def papers_slopes(heads: int) -> list[float]:
    """The recursion of the paper's code: a power of two by its first ratio, else a power of two and every second."""
    if math.log2(heads).is_integer():
        first = 2 ** (-(2 ** -(math.log2(heads) - 3)))
        return [first * first**i for i in range(heads)]
    nearest = 2 ** math.floor(math.log2(heads))
    return papers_slopes(nearest) + papers_slopes(2 * nearest)[0::2][: heads - nearest]


@pytest.mark.parametrize("heads", [1, 2, 3, 6, 8, 12, 14, 16, 71, 112])
def test_slopes_are_the_papers(heads: int) -> None:
    torch.testing.assert_close(slopes(heads), torch.tensor(papers_slopes(heads)))


@pytest.mark.parametrize(("config", "factor"), [(Alibi(), 1.0), (Alibi(scaled=True), 0.5)])
def test_the_bias_is_the_slope_times_the_distance_on_both_sides(config: Alibi, factor: float) -> None:
    position = config.build(Place(dim=12, heads=3, head_dim=4, length=8))
    queries, keys = torch.tensor([2, 3]), torch.arange(5)
    bias = position.bias(queries, keys)
    assert bias.shape == (3, 2, 5)
    for head, slope in enumerate(papers_slopes(3)):
        for i, query in enumerate(queries.tolist()):
            for key in range(5):
                assert math.isclose(bias[head, i, key], -slope * abs(query - key) * factor, rel_tol=1e-6)
