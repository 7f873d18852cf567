"""Clusters against a plain search, candidates against all pairs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.clusters import NEIGHBOURS, Clusters, candidates

PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=15)


@given(st.lists(PAIRS, max_size=4))
def test_clusters_are_what_a_plain_search_finds(rounds: list[list[tuple[int, int]]]) -> None:
    clusters = Clusters(12)
    groups = [{number} for number in range(12)]
    for pairs in rounds:
        ours, theirs = np.array(pairs, np.int64).reshape(-1, 2).T
        clusters.join(ours, theirs)
        for a, b in pairs:
            mine, other = (next(group for group in groups if number in group) for number in (a, b))
            if mine is not other:
                groups.remove(other)
                mine |= other
    want = {number: min(group) for group in groups for number in group}
    assert clusters.roots(np.arange(12)).tolist() == [want[number] for number in range(12)]
    assert clusters.apart(np.array([0, 1]), np.array([11, 1])).tolist() == [want[0] != want[11], False]


@given(st.lists(st.integers(0, 4), max_size=25))
def test_every_pair_with_one_hash_comes_once(hashes: list[int]) -> None:
    places = np.arange(len(hashes)) * 3
    found = [
        (int(a), int(b))
        for ours, theirs in candidates(places, np.array(hashes, np.uint64))
        for a, b in zip(ours, theirs, strict=True)
    ]
    numbered = list(enumerate(hashes))
    want = [(3 * i, 3 * j) for i, a in numbered for j, b in numbered if i < j and a == b]
    assert sorted(found) == want


def test_a_hash_of_thousands_gives_no_square() -> None:
    found = list(candidates(np.arange(5_000), np.zeros(5_000, np.uint64)))
    assert sum(len(ours) for ours, _ in found) < (NEIGHBOURS + 1) * 5_000
    clusters = Clusters(5_000)
    clusters.join(*found[-1])
    assert len(np.unique(clusters.roots(np.arange(5_000)))) == 5_000 - (5_000 - NEIGHBOURS - 1)
