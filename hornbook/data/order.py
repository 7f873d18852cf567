"""Chance one can look into anywhere: the i-th element of a shuffle, the random numbers of row i, without the others.

A Feistel network is a bijection of the numbers below a power of four whatever its round function (Luby and Rackoff
1988); numbers that fall outside n are sent through again until they fall inside (cycle walking, Black and Rogaway
2002). Integers only: the order is the same on every machine. Not for cryptography. Philox (Salmon et al. 2011) gives
each row its own stream: it is a function of (key, counter) and has no state to run through.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]

ROUNDS = 6  # four give a pseudorandom permutation of large sets; small ones need a few more to look shuffled


def permute(positions: NDArray[np.int64], count: int, seed: int, epochs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where a shuffle of `count` items puts each position (0 <= position < count); every epoch has its own shuffle.

    >>> sorted(permute(np.arange(5), 5, seed=1, epochs=np.zeros(5, dtype=np.int64)).tolist())
    [0, 1, 2, 3, 4]
    """
    half = max((count - 1).bit_length() + 1, 2) // 2
    start = np.array([seed & (2**64 - 1)], dtype=np.uint64)
    keys = mix(mix(start) ^ epochs.astype(np.uint64))
    values = positions.astype(np.uint64)
    outside = np.arange(len(values))
    while len(outside):
        values[outside] = _feistel(values[outside], keys[outside], half)
        outside = outside[values[outside] >= count]
    return values.astype(np.int64)


def row_generator(seed: int | None, row: int) -> np.random.Generator:
    """The random numbers of a row: others for each row, so also for the same text an epoch later; None is seed 0."""
    return np.random.Generator(np.random.Philox(key=[(seed or 0) & (2**64 - 1), row]))


def about(number: float, rng: np.random.Generator) -> int:
    """A whole number next to `number` that is `number` on average.

    >>> round(sum(about(2.3, row_generator(0, row)) for row in range(1000)) / 1000, 1)
    2.3
    """
    return int(number + rng.random())


def _feistel(values: Numbers, keys: Numbers, half: int) -> Numbers:
    shift, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = values >> shift, values & mask
    for number in range(ROUNDS):
        left, right = right, left ^ (mix(keys + right + np.uint64(number << 32)) & mask)
    return (left << shift) | right


def mix(values: Numbers) -> Numbers:
    """Spread the bits of 64-bit numbers (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
