"""ESM's tokenizer beside transformers'."""

from pathlib import Path

import pytest

from hornbook.text import tokenizer
from hornbook.text.residues import ResidueTokenizer

hf = pytest.importorskip("transformers")

TOKENS = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]
PROTEINS = ["MKTAYIAKQR", "M K T\nA Y", "QUZOBJ x", "MKT<mask>AY", "", "mkt", "A-L.LA", "J<mask>JJ LJ", "猫 A"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ResidueTokenizer(TOKENS).save(tmp_path)
    return tmp_path


def test_a_folder_of_esms_is_read_as_one(folder: Path) -> None:
    opened = tokenizer.load(folder)
    assert isinstance(opened, ResidueTokenizer)
    assert opened.tokens == TOKENS
    assert opened.fingerprint == ResidueTokenizer(TOKENS).fingerprint


@pytest.mark.parametrize("protein", PROTEINS)
def test_ids_are_theirs(protein: str, folder: Path) -> None:
    ours, theirs = tokenizer.load(folder), hf.EsmTokenizer.from_pretrained(folder)
    ids = ours.encode(protein, special=True)
    assert ours.wrap(ids)[0] == theirs(protein).input_ids
    assert ours.wrap(ids, ours.encode("MK"))[0] == theirs(protein, "MK").input_ids


def test_a_special_token_spelled_out_is_unknown_letters() -> None:
    ours = ResidueTokenizer(TOKENS)
    assert ours.encode("K<mask>K") == [15, 3, 15]


def test_letters_come_back() -> None:
    ours = ResidueTokenizer(TOKENS)
    assert ours.decode(ours.encode("MK TAY")) == "MKTAY"
    assert ours.decode_bytes([20, 15]) == b"MK"
    with pytest.raises(ValueError, match="id 33 is not one of this tokenizer's 33 ids"):
        ours.decode([33])
