"""The readable encoder: worked examples by hand; that the fast ones equal it is in test_byte_bpe."""

import json
from pathlib import Path

from hornbook.text.alphabet import BYTES
from hornbook.text.plain import decode, encode, halves, merge, whole

BASE = {bytes([byte]): i for i, byte in enumerate(BYTES)}


def test_the_lowest_rank_goes_first_and_the_leftmost_among_equals() -> None:
    ranks = {**BASE, b"aa": 256, b"aab": 257, b"ba": 258}
    assert merge(b"aaab", ranks) == [b"aa", b"a", b"b"]
    assert merge(b"baab", ranks) == [b"b", b"aab"]
    assert merge(b"bab", ranks) == [b"ba", b"b"]
    assert merge(b"", ranks) == []


def test_below_undoes_the_last_merge() -> None:
    ranks = {**BASE, b"aa": 256, b"aab": 257}
    assert merge(b"aab", ranks, below=257) == [b"aa", b"b"]


def test_halves_are_the_pair_that_made_a_token() -> None:
    ranks = {b"a": 0, b"b": 1, b"ab": 2, b"ba": 3, b"aba": 4}
    assert halves(b"aba", ranks) == (b"ab", b"a")


def test_pieces_are_merged_each_by_itself() -> None:
    assert encode("a a", {**BASE, b"a ": 256, b" a": 257}, pattern="gpt2") == [BASE[b"a"], 257]


def test_broken_utf8_is_replaced() -> None:
    tokens = {0: "中".encode()[:2], 1: "中".encode()[2:], 2: b"!"}
    assert decode([0, 1, 2], tokens) == "中!"
    assert decode([0, 2], tokens) == "\ufffd!"


def test_surrogates() -> None:
    assert whole("\ud83d\ude00") == "😀"
    assert whole("x\ude00") == "x\ufffd"


def test_the_published_example(shared_data: Path) -> None:
    """minbpe's: aaabdaaabac with three merges, ids of raw bytes."""
    lines = (shared_data / "tokenizers" / "vectors" / "published_special.jsonl").read_text().splitlines()
    example = next(row for row in map(json.loads, filter(None, lines)) if row["kind"] == "bpe_train")
    tokens = {i: bytes([i]) for i in range(256)}
    for left, right, made in example["merges"]:
        tokens[made] = tokens[left] + tokens[right]
    ranks = {token: i for i, token in tokens.items()}
    assert encode(example["text"], ranks, pattern="gpt2") == example["ids"]
    assert decode(example["ids"], tokens) == example["text"]
