"""Rows: every kind of file gives the same rows, each with its place, and each fault is one sentence with that place."""

import csv
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.data.rows import files, read

ROWS = [{"text": '甲乙, "quoted"', "label": "a"}, {"text": "ünd so\tweiter", "label": "b"}]


def _jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n", encoding="utf-8")


def _json(path: Path) -> None:
    path.write_text(json.dumps(ROWS), encoding="utf-8")


def _csv(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["text", "label"])
        table.writeheader()
        table.writerows(ROWS)


def _parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


WRITERS: dict[str, tuple[Callable[[Path], None], list[int]]] = {
    ".jsonl": (_jsonl, [1, 2]),
    ".ndjson": (_jsonl, [1, 2]),
    ".json": (_json, [1, 2]),
    ".csv": (_csv, [2, 3]),
    ".parquet": (_parquet, [1, 2]),
}


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("ending", WRITERS)
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, ending: str, packed: str) -> None:
    write, places = WRITERS[ending]
    write(plain := tmp_path / f"a{ending}")
    path = tmp_path / f"b{ending}{packed}"
    path.write_bytes(gzip.compress(plain.read_bytes()) if packed else plain.read_bytes())
    expected = [{"id": f"{path.name}:{place}", **row} for place, row in zip(places, ROWS, strict=True)]
    assert list(read(path)) == expected
