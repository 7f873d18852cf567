import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hornbook.core.errors import UserError
from hornbook.data import tokenize
from hornbook.text.bpe import BPE

Write = Callable[..., Path]

TEXTS = {f"dir/doc{number}.txt": f"text {number} " + "é論語"[: number % 4] * number for number in range(11)}


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_every_document_is_followed_by_the_end_id_and_found_again(
    tmp_path: Path, write_corpus: Write, byte_tokenizer: type
) -> None:
    corpus = write_corpus(tmp_path / "corpus", TEXTS, {"held": "out"})
    split = tokenize.write(corpus, tmp_path / "shards", byte_tokenizer()).train
    assert split.documents == 11
    assert split.bytes == sum(len(text.encode()) for text in TEXTS.values())
    assert split.characters == sum(map(len, TEXTS.values()))
    for number, (name, text) in enumerate(TEXTS.items()):
        start, stop = split.span(number)
        assert bytes(split.ids[start : stop - 1].tolist()).decode() == text
        assert split.ids[stop - 1] == 256
        assert split.document_name(number) == name
        assert split.text_bytes(number) == len(text.encode())
        assert set(split.document_of(np.arange(start, stop)).tolist()) == {number}


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_number_of_processes(tmp_path: Path, write_corpus: Write) -> None:
    corpus = write_corpus(tmp_path / "corpus", TEXTS, {"held": "out"}, per_group=2)
    tokenizer = BPE(vocab=280).train(TEXTS.values(), processes=1)
    for processes in (1, 2, 3):
        tokenize.write(corpus, tmp_path / str(processes), tokenizer, processes=processes)
    assert digests(tmp_path / "1") == digests(tmp_path / "2") == digests(tmp_path / "3")


def test_ids_are_as_wide_as_the_vocabulary_needs(tmp_path: Path, write_corpus: Write, byte_tokenizer: type) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"a": "abc"}, {})
    for vocab, width in ((65_536, 2), (65_537, 4)):
        shards = tokenize.write(corpus, tmp_path / str(vocab), byte_tokenizer(vocab))
        assert (tmp_path / str(vocab) / "train.ids").stat().st_size == 4 * width
        assert shards.train.ids.tolist() == [97, 98, 99, 256]


def test_an_empty_validation_split_is_allowed(tmp_path: Path, write_corpus: Write, byte_tokenizer: type) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"a": "abc"}, {})
    split = tokenize.write(corpus, tmp_path / "shards", byte_tokenizer()).validation
    assert (split.tokens, split.documents, split.bytes) == (0, 0, 0)


def test_progress_counts_documents_up_to_all(tmp_path: Path, write_corpus: Write, byte_tokenizer: type) -> None:
    corpus = write_corpus(tmp_path / "corpus", TEXTS, {"held": "out"})
    calls: list[tuple[int, int]] = []
    tokenize.write(
        corpus, tmp_path / "shards", byte_tokenizer(), progress=lambda done, total: calls.append((done, total))
    )
    assert calls[-1] == (12, 12)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_a_folder_without_corpus_is_named(tmp_path: Path, write_corpus: Write, byte_tokenizer: type) -> None:
    with pytest.raises(UserError, match=r"no train-\*\.parquet in it"):
        tokenize.write(tmp_path, tmp_path / "shards", byte_tokenizer())


def test_a_failure_leaves_nothing_half_written(tmp_path: Path, write_corpus: Write, byte_tokenizer: type) -> None:
    class Broken(byte_tokenizer):
        def encode_batch(self, texts: list[str]) -> list[list[int]]:
            if "text 7" in texts[1]:
                raise OSError(28, "No space left on device")
            return super().encode_batch(texts)

    corpus = write_corpus(tmp_path / "corpus", TEXTS, {"held": "out"})
    kept = digests(tokenize.write(corpus, tmp_path / "shards", byte_tokenizer()).folder)
    with pytest.raises(OSError, match="No space"):
        tokenize.write(corpus, tmp_path / "shards", Broken())
    assert digests(tmp_path / "shards") == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "shards"]
