"""Encoding: equal to the readable form, tiktoken, `tokenizers` and published ids; decoding gives the text back."""

import json
import pickle
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Reference

from hornbook.text import plain
from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.files import describe
from hornbook.text.ranks import read_gpt2, read_tiktoken

SOURCE = Path(__file__).read_text(encoding="utf-8")
CHINESE = "北冥有鱼, 其名为鲲。鲲之大, 不知其几千里也; 化而为鸟, 其名为鹏。" * 3
MIXED = [
    "北冥有鱼",
    "その名を鯤",
    "👩\u200d👩\u200d👧🏽",
    "naïve ",
    "\x00\x1b\x7f\x85",
    "  \n\n\t ",
    "<|endoftext|>",
    "it's 12345",
]
TEXTS = st.lists(st.sampled_from(MIXED) | st.text(max_size=8), max_size=12).map("".join)


@pytest.fixture(scope="module", params=["gpt2", "cl100k", "han"])
def tokenizer(request: pytest.FixtureRequest) -> ByteBPE:
    return BPE(vocab=600, split=request.param).train([SOURCE, CHINESE, *MIXED])


def known(text: str) -> bool:
    """Whether all engines agree on what the characters are (see test_pretokenize)."""
    return all(unicodedata.category(character) != "Cn" for character in text)


@given(text=TEXTS)
def test_equal_to_the_readable_form(tokenizer: ByteBPE, text: str) -> None:
    if known(text):
        assert tokenizer.encode(text) == plain.encode(text, tokenizer.ranks, pattern=tokenizer.split.name)


@given(text=TEXTS)
def test_decoding_gives_the_text_back(tokenizer: ByteBPE, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == plain.whole(text) == plain.decode(ids, tokenizer.tokens)
    assert tokenizer.decode_bytes(ids) == plain.whole(text).encode()


@given(ids=st.lists(st.integers(0, 599), max_size=20))
def test_every_list_of_ids_has_a_text(tokenizer: ByteBPE, ids: list[int]) -> None:
    assert tokenizer.decode(ids) == plain.decode(ids, tokenizer.tokens)


def test_equal_to_tokenizers_with_the_file_we_write(tokenizer: ByteBPE) -> None:
    reference = Reference.from_str(json.dumps(describe(tokenizer)))
    reference.encode_special_tokens = True
    for text in (SOURCE, CHINESE, *MIXED, "".join(MIXED)):
        assert tokenizer.encode(text) == reference.encode(text).ids
    reference.encode_special_tokens = False
    assert tokenizer.encode("".join(MIXED), special=True) == reference.encode("".join(MIXED)).ids


def test_special_tokens_only_when_asked(tokenizer: ByteBPE) -> None:
    text = "a<|im_start|>b<|endoftext|>"
    plain_ids, ids = tokenizer.encode(text), tokenizer.encode(text, special=True)
    assert not set(plain_ids) & set(tokenizer.special.values())
    assert ids[1:] == [598, *tokenizer.encode("b"), 597]
    assert tokenizer.decode(plain_ids) == tokenizer.decode(ids) == text


def test_batches_are_the_texts_one_by_one(tokenizer: ByteBPE) -> None:
    assert tokenizer.encode_batch(MIXED) == [tokenizer.encode(text) for text in MIXED]
    assert tokenizer.encode_batch([], special=True) == []


def test_a_copy_in_another_process_is_the_same(tokenizer: ByteBPE) -> None:
    tokenizer.encode("warm")
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.fingerprint == tokenizer.fingerprint
    assert copy.encode(SOURCE) == tokenizer.encode(SOURCE)


def test_the_fingerprint_knows_all_that_decides_ids() -> None:
    ranks = {bytes([i]): i for i in range(256)}
    base = ByteBPE(ranks, split="gpt2", special={"<e>": 256})
    others = [
        ByteBPE(ranks, split="han", special={"<e>": 256}),
        ByteBPE(ranks, split="gpt2", special={"<f>": 256}),
        ByteBPE({**ranks, b"ab": 257}, split="gpt2", special={"<e>": 256}),
        ByteBPE({**ranks, b"<e>": 256}, split="gpt2", special={"<f>": 257}),
    ]
    prints = {each.fingerprint for each in [base, *others]}
    assert len(prints) == 5
    assert ByteBPE(dict(reversed(ranks.items())), split="gpt2", special={"<e>": 256}).fingerprint == base.fingerprint


def test_an_id_that_is_none(tokenizer: ByteBPE) -> None:
    with pytest.raises(ValueError, match="id 600 is not one of this tokenizer's 600 ids"):
        tokenizer.decode([1, 600])


def test_a_long_run_is_no_trouble() -> None:
    tokenizer = BPE(vocab=300).train([SOURCE])
    for letter in ("a", "汉", " ", "="):
        assert tokenizer.decode(tokenizer.encode(letter * 300_000)) == letter * 300_000


def real_texts(folder: Path) -> Iterator[str]:
    """Every text of the shared data outside of archives."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".txt", ".json", ".jsonl", ".en"):
            yield path.read_text(encoding="utf-8")


def archived_texts(folder: Path) -> Iterator[str]:
    """The texts in archives: speeches, and the declaration of human rights in 390 languages."""
    for path in sorted(folder.rglob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield archive.read(name).decode("utf-8", "replace")


def test_equal_to_tiktoken_on_every_real_text(shared_data: Path) -> None:
    """With the patterns as tiktoken publishes them, which are not spelled as ours."""
    published = {
        "r50k_base": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
        "cl100k_base": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    }
    for name, pattern in published.items():
        ours = read_tiktoken(shared_data / "tokenizers" / "tiktoken" / f"{name}.tiktoken")
        theirs = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ours.ranks, special_tokens=ours.special)
        for text in real_texts(shared_data / "text"):
            ids = ours.encode(text)
            assert ids == theirs.encode_ordinary(text)
            assert ours.decode(ids) == text


@pytest.mark.slow
def test_equal_to_tokenizers_on_every_real_text(shared_data: Path) -> None:
    ours = read_gpt2(shared_data / "tokenizers" / "gpt2")
    reference = Reference.from_str(json.dumps(describe(ours)))
    reference.encode_special_tokens = True
    for text in real_texts(shared_data / "text"):
        assert ours.encode(text) == reference.encode(text).ids


@pytest.mark.slow
def test_equal_to_all_in_390_languages(shared_data: Path) -> None:
    folder = shared_data / "tokenizers" / "tiktoken"
    both = [read_tiktoken(folder / f"{name}.tiktoken") for name in ("r50k_base", "cl100k_base")]
    references = [Reference.from_str(json.dumps(describe(ours))) for ours in both]
    for text in archived_texts(shared_data / "text"):
        for ours, reference in zip(both, references, strict=True):
            ids = ours.encode(text)
            assert ids == reference.encode(text).ids
            assert ours.decode(ids) == text
            assert ours.encode(text[:2000]) == plain.encode(text[:2000], ours.ranks, pattern=ours.split.name)


@pytest.mark.parametrize("name", ["gpt2", "r50k_base", "cl100k_base"])
def test_published_ids(shared_data: Path, name: str) -> None:
    folder = shared_data / "tokenizers"
    ours = read_gpt2(folder / "gpt2") if name == "gpt2" else read_tiktoken(folder / "tiktoken" / f"{name}.tiktoken")
    lines = (folder / "vectors" / "published_vectors.jsonl").read_text(encoding="utf-8").strip().split("\n")
    rows = [row for row in map(json.loads, lines) if row["encoding"] == name]
    assert rows
    for row in rows:
        assert ours.encode(row["text"], special="allowed_special" in row) == row["ids"], row["source"]


def test_minbpe_s_strings_with_the_readable_form(shared_data: Path) -> None:
    ours = read_tiktoken(shared_data / "tokenizers" / "tiktoken" / "cl100k_base.tiktoken")
    story = (shared_data / "text" / "minbpe" / "taylorswift.txt").read_text(encoding="utf-8")
    for text in ("", "?", "hello world!!!? (안녕하세요!) lol123 😉", story[:20000]):
        assert ours.encode(text) == plain.encode(text, ours.ranks, pattern="cl100k")
