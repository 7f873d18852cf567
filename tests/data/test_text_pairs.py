"""Files of pairs to batches of texts, and the sentences for rows that are none."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.data.split import Split
from hornbook.data.text_pairs import PairSource, TextPairs
from tests.data.test_texts import TOKENIZER


def written(folder: Path, *rows: dict[str, Any]) -> str:
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_anchors_come_first_then_partners_then_negatives(tmp_path: Path) -> None:
    rows = [{"anchor": f"cat {i}", "positive": f"mat {i}", "negative": f"the {i}"} for i in range(4)]
    parts = TextPairs(source=written(tmp_path, *rows), split=Split(train=0.75, validation=0.25)).build()
    source = PairSource(parts.train, TOKENIZER, 16, seed=None)
    batch = source.batch(0, 3)
    texts = [TOKENIZER.decode(ids[real].tolist()) for ids, real in zip(*batch.inputs.values(), strict=True)]
    assert texts == [row["texts"][part] for part in range(3) for row in parts.train]
    assert batch.labels.tolist() == [0, 1, 2]
    assert source.documents(0, 2) == [[parts.train[0]["id"]], [parts.train[1]["id"]]]
    assert (source.length, source.rows_per_epoch) == (48, 3)
    assert len(parts.validation) == 1


def test_a_row_is_the_same_whoever_asks(tmp_path: Path) -> None:
    given = written(tmp_path, *({"query": f"cat {i}", "positive": f"mat {i}"} for i in range(9)))
    source = PairSource(TextPairs(source=given).build().train, TOKENIZER, 16, seed=3)
    alone = [source.documents(row, 1)[0] for row in range(20)]
    assert source.documents(0, 20) == alone
    assert alone[:8] != alone[8:16]
    assert sorted(alone[:8]) == sorted(alone[8:16])
    assert torch.equal(source.batch(8, 1).input_ids, source.batch(8, 1).input_ids)


def test_a_text_alone_is_its_own_partner(tmp_path: Path) -> None:
    parts = TextPairs(source=written(tmp_path, {"text": "a cat"}, {"text": "a mat"})).build()
    assert parts.train[0]["texts"] == [parts.train[0]["texts"][0]] * 2
    assert parts.train[0]["alone"]


def test_columns_of_another_name(tmp_path: Path) -> None:
    config = TextPairs(
        source=written(tmp_path, *({"q": str(i), "a": "x"} for i in range(3))),
        columns={"anchor": "q", "positive": "a"},
    )
    assert config.build().train[0]["texts"][1] == "x"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"sentence": "a"}, r"pairs.jsonl:1: no column anchor, query or text; it has sentence"),
        ({"anchor": " ", "positive": "b"}, r"pairs.jsonl:1: anchor is ' ', not a text"),
        ({"anchor": "a", "positive": 3}, r"pairs.jsonl:1: positive is 3, not a text"),
        ({"anchor": "a", "positive": "b", "negative": "b"}, r"pairs.jsonl:1: positive and negative are the same"),
    ],
)
def test_a_row_that_is_none_is_named(tmp_path: Path, row: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        TextPairs(source=written(tmp_path, row)).build()


def test_a_negative_for_some_rows_only_is_refused(tmp_path: Path) -> None:
    rows = [{"anchor": f"a{i}", "positive": f"b{i}", **({"negative": "c"} if i else {})} for i in range(3)]
    parts = TextPairs(source=written(tmp_path, *rows), split=Split(train=1.0, validation=0.0)).build()
    with pytest.raises(UserError, match=r"pairs\.jsonl:1: has no negative, other rows have one"):
        PairSource(parts.train, TOKENIZER, 16, seed=0)
