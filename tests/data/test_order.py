import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.order import mix, permute


def shuffled(count: int, seed: int, epoch: int = 0) -> np.ndarray:
    return permute(np.arange(count), count, seed, np.full(count, epoch, dtype=np.int64))


@given(st.integers(1, 3_000), st.integers(-(2**70), 2**70), st.integers(0, 10_000))
def test_it_is_a_bijection(count: int, seed: int, epoch: int) -> None:
    assert np.array_equal(np.sort(shuffled(count, seed, epoch)), np.arange(count))


@pytest.mark.parametrize("count", [2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1023, 1024, 1025, 65_536, 65_537])
def test_it_is_a_bijection_around_powers_of_two(count: int) -> None:
    assert np.array_equal(np.sort(shuffled(count, 1)), np.arange(count))


@given(st.integers(1, 2**40), st.integers(0, 2**40), st.integers(0, 2**63))
def test_a_position_alone_goes_where_it_goes_among_others(count: int, position: int, seed: int) -> None:
    position %= count
    others = np.array([position, (position + 1) % count, 0])
    together = permute(others, count, seed, np.array([3, 4, 5]))
    alone = permute(others[:1], count, seed, np.array([3]))
    assert alone[0] == together[0]
    assert 0 <= alone[0] < count


def test_epochs_and_seeds_have_different_orders() -> None:
    orders = [shuffled(1_000, seed, epoch) for seed in (0, 1) for epoch in (0, 1, 2)]
    agreements = [(a == b).sum() for i, a in enumerate(orders) for b in orders[:i]]
    assert max(agreements) < 10  # two random orders agree in 1 place on average


def test_every_position_gets_every_value_equally_often() -> None:
    count, epochs = 7, 7_000
    positions, epoch = np.tile(np.arange(count), epochs), np.repeat(np.arange(epochs), count)
    orders = permute(positions, count, 5, epoch).reshape(epochs, count)
    seen = np.stack([np.bincount(orders[:, position], minlength=count) for position in range(count)])
    chi_squared = ((seen - epochs / count) ** 2 / (epochs / count)).sum()
    assert chi_squared < 85  # 36 degrees of freedom: more is seen once in 100,000 fair shuffles


def test_neighbours_part() -> None:
    order = shuffled(10_000, 2)
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.04  # four standard deviations of a random order


def test_the_bits_of_the_mixer_are_those_of_splitmix64() -> None:
    # first outputs of SplitMix64 for the seed 1234567, as its authors' C code prints them
    assert mix(np.array([1234567], dtype=np.uint64)).tolist() == [6457827717110365317]
