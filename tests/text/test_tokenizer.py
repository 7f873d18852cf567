"""`load` opens every kind of tokenizer from its place and says what it wanted where there is none."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.text.bpe import BPE
from hornbook.text.tokenizer import load


def test_a_folder_or_the_file_in_it(tmp_path: Path) -> None:
    tokenizer = BPE(vocab=280).train(["to be or not to be " * 4])
    tokenizer.save(tmp_path)
    assert load(tmp_path).fingerprint == load(tmp_path / "tokenizer.json").fingerprint == tokenizer.fingerprint


def test_every_kind_of_published_tokenizer(shared_data: Path) -> None:
    folder = shared_data / "tokenizers"
    kinds = {"gpt2": 50257, "tiktoken/r50k_base.tiktoken": 50257, "minimind": 6400, "torchtitan_small": 2020}
    for name, vocab in kinds.items():
        tokenizer = load(folder / name)
        assert tokenizer.vocab == vocab
        assert tokenizer.end in tokenizer.special.values()
        assert tokenizer.decode(tokenizer.encode("hello")) == "hello"


@pytest.mark.parametrize("name", ["", "nowhere", "nowhere/tokenizer.json"])
def test_nothing_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        UserError,
        match=r"no tokenizer.json nor vocab.bpe nor vocab.txt.* there; train a tokenizer with `hornbook tokenizer",
    ):
        load(tmp_path / name)
