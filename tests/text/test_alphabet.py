# ruff: noqa: RUF001 - signs that look alike are meant
"""GPT-2's alphabet: every byte has one visible character and one id, as in `tokenizers` and tiktoken's files."""

from pathlib import Path

from tokenizers import pre_tokenizers

from hornbook.text.alphabet import BYTE_IDS, BYTES, CHARACTERS, raw, visible
from hornbook.text.ranks import read_tiktoken


def test_the_characters_are_those_of_tokenizers_in_order() -> None:
    assert sorted(pre_tokenizers.ByteLevel.alphabet()) == CHARACTERS


def test_ids_and_bytes_are_each_other_s_inverse() -> None:
    assert [BYTES[BYTE_IDS[byte]] for byte in range(256)] == [*range(256)]


def test_spelling_goes_there_and_back() -> None:
    assert visible(" 中\n".encode()) == "Ġä¸ŃĊ"
    assert raw(visible(bytes(range(256)))) == bytes(range(256))


def test_the_ids_are_those_of_published_rank_files(shared_data: Path) -> None:
    for name in ("r50k_base", "cl100k_base"):
        ranks = read_tiktoken(shared_data / "tokenizers" / "tiktoken" / f"{name}.tiktoken").ranks
        assert [ranks[bytes([byte])] for byte in range(256)] == BYTE_IDS
