import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hornbook.core.errors import UserError
from hornbook.data.shards import Shards, load

Make = Callable[..., Shards]


def test_ids_are_mapped_not_loaded(make_shards: Make) -> None:
    split = make_shards({"a": "abc", "b": "de"}).train
    assert isinstance(split.ids, np.memmap)
    assert isinstance(split.table, np.memmap)
    assert not split.ids.flags.writeable


def test_names_may_hold_anything_a_file_name_can(make_shards: Make) -> None:
    names = ["論語/學而.txt", "with space", "a#1", "x" * 300, "bad\udcff"]
    split = make_shards(dict.fromkeys(names[:4], "text")).train
    assert [split.document_name(number) for number in range(4)] == names[:4]


def test_another_tokenizer_is_refused(make_shards: Make) -> None:
    shards = make_shards({"a": "abc"})
    assert load(shards.folder, tokenizer=shards.tokenizer).train.tokens == 4
    with pytest.raises(UserError, match="made with another tokenizer"):
        load(shards.folder, tokenizer="f" * 64)


def test_a_split_too_small_for_a_window_says_both_numbers(make_shards: Make) -> None:
    split = make_shards({"a": "abcdefg"}).train
    split.require(7)
    with pytest.raises(UserError, match=r"train split has 8 tokens \(7 characters\), a window of length 8 wants 9"):
        split.require(8)


def test_a_truncated_or_missing_file_is_named(make_shards: Make) -> None:
    shards = make_shards({"a": "abcdefg"})
    path = shards.folder / "train.ids"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"train\.ids: has 15 bytes instead of 16"):
        shards.train  # noqa: B018  # opening is what fails
    path.unlink()
    with pytest.raises(UserError, match=r"train\.ids: is missing"):
        shards.train  # noqa: B018  # opening is what fails


def test_a_folder_without_shards_or_of_another_version_is_named(make_shards: Make, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no token shards"):
        load(tmp_path)
    shards = make_shards({"a": "abcdefg"})
    (shards.folder / "manifest.json").write_text(json.dumps({**shards.manifest, "version": 0}))
    with pytest.raises(UserError, match="version 0 is not 1"):
        load(shards.folder)
