"""MinHash against brute force: how often a band is shared, how near a sketch comes. (Real texts: test_near.py.)"""

from itertools import pairwise

import numpy as np
import pytest

from hornbook.corpus import minhash
from hornbook.corpus.minhash import Bands, band_hashes, bands, similarities, sketches
from hornbook.corpus.shingles import Tokens, mixed


def sets(rows: list[list[int]]) -> Tokens:
    """Shingles as if the numbers were hashes of words."""
    flat = mixed(np.array([number for row in rows for number in row], np.uint64) + np.uint64(1))
    return Tokens(flat, np.cumsum([0, *(len(row) for row in rows)]))


def pairs(similarity: float, count: int, shared: int = 160) -> Tokens:
    """Texts 2i and 2i + 1 have this similarity, others none."""
    own = round(shared * (1 / similarity - 1) / 2)
    rows, used = [], 0
    for _ in range(count):
        numbers = list(range(used, used := used + shared + 2 * own))
        rows += [numbers[: shared + own], numbers[:shared] + numbers[shared + own :]]
    return sets(rows)


@pytest.mark.parametrize("similarity", [0.5, 0.667, 0.8])
def test_a_band_is_shared_as_often_as_the_curve_says(similarity: float) -> None:
    form, count = Bands(18, 7), 1_000
    found = band_hashes(pairs(similarity, count), form)
    shared = (found[:, ::2] == found[:, 1::2]).any(axis=0).mean()
    want = form.probability(similarity)
    assert abs(shared - want) < 3.5 * np.sqrt(want * (1 - want) / count) + 0.02


def test_minima_agree_as_often_as_the_shingles_do() -> None:
    """Bands of one row are the minima themselves; 128 of each of 200 pairs."""
    found = band_hashes(pairs(0.667, 200), Bands(128, 1))
    assert (found[:, ::2] == found[:, 1::2]).mean() == pytest.approx(0.667, abs=0.01)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.75, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("permutations", [64, 128, 256])
def test_pairs_at_the_threshold_share_a_band(threshold: float, permutations: int) -> None:
    form = bands(threshold, permutations)
    assert form.bands * form.rows <= permutations
    assert form.probability(threshold) >= minhash.RECALL or form.rows == 1
    longer = Bands(permutations // (form.rows + 1), form.rows + 1)
    assert threshold == 1 or longer.probability(threshold) < minhash.RECALL


def test_bands_do_not_depend_on_the_batch_or_the_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [list(range(start, start + length)) for start, length in ((0, 40), (9, 0), (3, 1), (20, 300), (7, 64))]
    whole, (values, offsets) = band_hashes(sets(rows), Bands(4, 3)), sketches(sets(rows), 50)
    monkeypatch.setattr(minhash, "TILE", 64)
    assert (band_hashes(sets(rows), Bands(4, 3)) == whole).all()
    for place, row in enumerate(rows):
        assert (band_hashes(sets([row]), Bands(4, 3))[:, 0] == whole[:, place]).all()
        assert sketches(sets([row]), 50)[0].tolist() == values[offsets[place] : offsets[place + 1]].tolist()
    assert (whole[:, 1] == 0).all()


@pytest.mark.parametrize("size", [None, 16, 64])
def test_a_sketch_is_the_smallest_shingles_in_order(size: int | None) -> None:
    rows = [[5, 5, 7], [], list(range(100))]
    values, offsets = sketches(sets(rows), size)
    for row, first, last in zip(rows, offsets, offsets[1:], strict=False):
        want = sorted({int(number) >> 32 for number in sets([row]).hashes})[:size]
        assert values[first:last].tolist() == want


@pytest.mark.parametrize("size", [None, 256])
def test_similarity_is_exact_where_the_sketches_are_whole(size: int | None) -> None:
    rng = np.random.default_rng(1)
    ours = [rng.choice(120, rng.integers(0, 90), replace=False).tolist() for _ in range(60)]
    theirs = [rng.choice(120, rng.integers(0, 90), replace=False).tolist() for _ in range(60)]
    found = similarities(sketches(sets(ours), size), sketches(sets(theirs), size), size)
    want = [len({*a} & {*b}) / len({*a} | {*b}) if a or b else 0 for a, b in zip(ours, theirs, strict=True)]
    assert found.tolist() == want


def test_the_sketch_of_a_long_text_is_an_estimate() -> None:
    """512 of 3,000 shingles: a standard deviation of 0.018 at similarity 0.8."""
    values, offsets = sketches(pairs(0.8, 60, shared=3_000), 512)
    shelf = [values[a:b] for a, b in pairwise(offsets)]
    ours, theirs = ((np.concatenate(part), np.arange(len(part) + 1) * 512) for part in (shelf[::2], shelf[1::2]))
    errors = similarities(ours, theirs, 512) - 0.8
    assert 0.012 < errors.std() < 0.024
    assert abs(errors.mean()) < 0.01


def test_no_texts_at_all() -> None:
    nothing = sets([])
    assert band_hashes(nothing, Bands(4, 3)).shape == (4, 0)
    assert [part.tolist() for part in sketches(nothing, 16)] == [[], [0]]
    assert similarities(sketches(nothing, 16), sketches(nothing, 16), 16).tolist() == []
