import gzip
import json
from pathlib import Path

import pytest

from hornbook.corpus import packed, read
from tests.corpus.reading import documents, pack, texts


@pytest.mark.parametrize("ending", [".txt", ".md", ".py", "", ".txt.gz", ".txt.zst"])
def test_text(tmp_path: Path, ending: str) -> None:
    path = pack(tmp_path / f"a{ending}", "def f():\r\n\treturn 'é'\n".encode())
    assert texts(path) == ["def f():\r\n\treturn 'é'\n"]
    assert documents(path)[0][0].id == path.name


@pytest.mark.parametrize("ending", [".jsonl.gz", ".txt.gz", ".jsonl.zst"])
def test_a_truncated_packed_file_gives_what_was_whole(tmp_path: Path, ending: str) -> None:
    content = b"".join(json.dumps({"text": f"{number * 7919 % 100_003}"}).encode() + b"\n" for number in range(20_000))
    path = pack(tmp_path / f"a{ending}", content)
    path.write_bytes(path.read_bytes()[:-2_000])
    found, ledger = documents(path)
    assert "damaged" in ledger.bad_places[0]["why"]
    assert ledger.bad == 1
    assert len(found) > 10_000 or "txt" in ending


def test_a_broken_gzip_member_costs_its_lines(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"{number} " * 20}).encode() + b"\n" for number in range(300)]
    members = [bytearray(gzip.compress(b"".join(lines[start : start + 10]))) for start in range(0, 300, 10)]
    members[4][12:20] = b"\xee" * 8
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"".join(members))
    found, ledger = documents(path, strict=True)
    assert {document.text for document in found} >= {f"{number} " * 20 for number in [*range(40), *range(50, 300)]}
    assert len(found) < 300
    place = f"{path}:{sum(map(len, members[:4]))}"
    assert ledger.bad_places[0]["place"] == place
    assert ledger.bad_places[0]["why"].startswith("packed data damaged from this byte on (")


def test_a_gzip_bomb_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "BOMB_BYTES", 1_000_000)
    for name in ("a.txt.gz", "a.jsonl.gz", "a.csv.gz", "a.html.gz", "a.warc.gz"):
        path = pack(tmp_path / name, b"\0" * 40_000_000)
        found, ledger = documents(path)
        assert found == []
        assert ledger.bad or name == "a.txt.gz"  # NULs are no text: left out after the first look
        if name == "a.jsonl.gz":
            assert "unpacks to more than 200 times its size" in ledger.bad_places[0]["why"]


def test_a_hub_folder_and_its_neighbours_by_their_names() -> None:
    kinds = {
        "train-00000-of-00002.parquet": ".parquet",
        "CC-MAIN-1.warc.wet.gz": ".wet",
        "A.HTML": ".html",
        "a.tsv": ".tsv",
    }
    assert {name: read.kind_of(Path(name)) for name in kinds} == kinds


def test_no_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(read, "open_packed", refuse)
    _, ledger = documents(tmp_path / "a.txt")
    assert "no permission to read it" in ledger.bad_places[0]["why"]
