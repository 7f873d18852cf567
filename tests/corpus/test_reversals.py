from pathlib import Path

import pytest

from hornbook.corpus.reversals import Reversals, run, strings
from hornbook.corpus.stored import texts


def test_a_pair_is_a_string_and_its_reversal_and_none_is_on_both_sides(tmp_path: Path) -> None:
    config = Reversals(pairs=2000, symbols=6, validation=0.1)
    ledger = run(config, tmp_path / "corpus")
    sides = {split: list(texts(tmp_path / "corpus", split)) for split in ("train", "validation")}
    for found in sides.values():
        assert all(answer == text[::-1] for text, answer in zip(found[::2], found[1::2], strict=True))
    train, held_out = (set(found[::2]) for found in sides.values())
    assert not train & held_out
    assert train | held_out == set(strings(config))
    assert ledger.splits["validation"].documents == 2 * len(held_out)
    assert 0.07 < len(held_out) / len(train | held_out) < 0.13


def test_every_length_is_as_likely() -> None:
    lengths = [len(text) for text in strings(Reversals(pairs=20_000, symbols=10))]
    assert all(1800 < lengths.count(length) < 2200 for length in range(4, 11))
    assert lengths.count(1) == 26  # each letter once


def test_impossible_values_are_refused() -> None:
    with pytest.raises(ValueError, match="symbols: 0 leaves nothing to learn"):
        Reversals(symbols=0)
    with pytest.raises(ValueError, match="validation: 2"):
        Reversals(validation=2)
    assert Reversals().fingerprint() != Reversals(symbols=9).fingerprint()
