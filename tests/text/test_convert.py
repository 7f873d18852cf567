"""Every form that can hold a tokenizer gives the same ids back; one that cannot says why."""

from pathlib import Path

import pytest

from hornbook.cli_tokenizer import FORMATS
from hornbook.core.errors import UserError
from hornbook.text.bpe import BPE
from hornbook.text.convert import FORMS, convert
from hornbook.text.tokenizer import Tokenizer, load
from hornbook.text.unigram import Unigram
from hornbook.text.wordpiece import WordPiece

TEXT = "Hello hello, world 2026! naïve 中文 \n\tx <|endoftext|> [SEP]"
END = "<|endoftext|>"


@pytest.fixture(scope="module")
def made() -> dict[str, Tokenizer]:
    texts = [TEXT * 5]
    return {
        "gpt2": BPE(vocab=300, split="gpt2", special=(END,)).train(texts),
        "han": BPE(vocab=300).train(texts),
        "wordpiece": WordPiece(vocab=120, alphabet=50).train(texts),
        "unigram": Unigram(vocab=320).train(texts),
        "long words": WordPiece(vocab=120, alphabet=50, longest_word=5).train(texts),
    }


@pytest.mark.parametrize(
    ("name", "form", "files"),
    [
        ("gpt2", "hugging-face", ["tokenizer.json", "tokenizer_config.json"]),
        ("gpt2", "gpt2", ["encoder.json", "vocab.bpe"]),
        ("gpt2", "tiktoken", ["tokenizer.json", "tokenizer.tiktoken"]),
        ("han", "tiktoken", ["tokenizer.json", "tokenizer.tiktoken"]),
        ("unigram", "sentencepiece", ["tokenizer.model"]),
        ("wordpiece", "vocab.txt", ["tokenizer_config.json", "vocab.txt"]),
        ("wordpiece", "hugging-face", ["tokenizer.json", "tokenizer_config.json", "vocab.txt"]),
    ],
)
def test_there_and_back(made: dict[str, Tokenizer], tmp_path: Path, name: str, form: str, files: list[str]) -> None:
    written = convert(made[name], tmp_path / "out", form=form)
    assert [path.name for path in written] == files
    copy = load(tmp_path / "out" / "tokenizer.tiktoken" if form == "tiktoken" else tmp_path / "out")
    for special in (False, True):
        assert copy.encode(TEXT, special=special) == made[name].encode(TEXT, special=special)
    assert (copy.fingerprint, copy.special, copy.end) == (made[name].fingerprint, made[name].special, made[name].end)


@pytest.mark.parametrize(
    ("name", "form", "sentence"),
    [
        ("han", "gpt2", "format gpt2: has no place for a pattern, .* this tokenizer cuts text as han; hugging-face"),
        ("wordpiece", "gpt2", "format gpt2: holds byte-level BPE .* this one is WordPiece"),
        ("wordpiece", "tiktoken", "format tiktoken: holds byte-level BPE .* this one is WordPiece"),
        ("gpt2", "vocab.txt", r"format vocab.txt: holds WordPiece .* this one is byte-level BPE"),
        ("long words", "vocab.txt", "format vocab.txt: holds tokenizers with BERT's normaliser"),
        ("gpt2", "word2vec", "format: 'word2vec' is not one of hugging-face, vocab.txt, tiktoken, gpt2"),
        ("han", "sentencepiece", "format sentencepiece: holds pieces with scores, .* this one is byte-level BPE"),
        ("unigram", "vocab.txt", r"format vocab.txt: holds WordPiece .* this one is Unigram"),
    ],
)
def test_what_a_form_cannot_hold(
    made: dict[str, Tokenizer], tmp_path: Path, name: str, form: str, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        convert(made[name], tmp_path, form=form)
    assert list(tmp_path.iterdir()) == []


def test_more_special_tokens_than_gpt2_has(tmp_path: Path) -> None:
    tokenizer = BPE(vocab=270, split="gpt2").train([TEXT] * 3)
    with pytest.raises(UserError, match=r"has one special token, <\|endoftext\|>, and this tokenizer has"):
        convert(tokenizer, tmp_path, form="gpt2")


def test_published_files_are_written_as_they_were_read(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "tokenizers"
    (ranks,) = convert(load(folder / "tiktoken" / "cl100k_base.tiktoken"), tmp_path / "cl100k", form="tiktoken")
    assert ranks.name == "cl100k_base.tiktoken"
    assert ranks.read_bytes().split() == (folder / "tiktoken" / "cl100k_base.tiktoken").read_bytes().split()
    convert(load(folder / "gpt2"), tmp_path / "gpt2", form="gpt2")
    ours, theirs = (place / "vocab.bpe" for place in (tmp_path / "gpt2", folder / "gpt2"))
    assert ours.read_text(encoding="utf-8").split() == theirs.read_text(encoding="utf-8").split()


def test_the_command_knows_every_form() -> None:
    assert list(FORMS) == list(FORMATS)
