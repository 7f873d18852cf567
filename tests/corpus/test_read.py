import json
from pathlib import Path

import pytest

from hornbook.corpus import read
from tests.corpus.reading import documents, pack, texts, why


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
    assert "damaged" in why(path)
    found, _ = documents(path)
    assert len(found) > 10_000 or "txt" in ending


def test_no_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(read, "open_packed", refuse)
    assert "no permission to read it" in why(tmp_path / "a.txt")
