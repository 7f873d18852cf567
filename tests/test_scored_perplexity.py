"""A model on files: each and all together, kept for the next time, damaged ones named."""

import json
import math
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.scored_perplexity import evaluate
from tests.evaluate.tiny_models import TEXT, make


def test_files_and_all_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = make("short", tmp_path / "model")
    files = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for number, path in enumerate(files, 2):
        path.write_text(TEXT * number)
    found = evaluate(str(model), files, tmp_path / "out", window=None, stride=None)
    assert (found["about"]["window"], found["about"]["stride"]) == (160, 80)
    parts = list(found["files"].values())
    assert found["all"]["bytes"] == sum(part["bytes"] for part in parts) == 5 * len(TEXT)
    bits = sum(part["bits_per_byte"]["value"] * part["bytes"] for part in parts)
    assert found["all"]["bits_per_byte"]["value"] == pytest.approx(bits / found["all"]["bytes"])
    assert math.isfinite(found["all"]["perplexity"]["value"])
    assert "all" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "model" / "perplexity.json").read_text()) == found
    (answers,) = (tmp_path / "out" / "model").glob("answers-*.jsonl")
    kept = answers.read_bytes()
    assert evaluate(str(model), files, tmp_path / "out", window=None, stride=None) == found
    assert answers.read_bytes() == kept


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    model = str(make("short", tmp_path / "model"))
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "bad.txt").write_bytes(b"ab\xff")
    with pytest.raises(UserError, match=r"empty.txt: 0 tokens: nothing to foretell"):
        evaluate(model, [tmp_path / "empty.txt"], tmp_path, window=None, stride=None)
    with pytest.raises(UserError, match=r"bad.txt: byte 2 is no UTF-8"):
        evaluate(model, [tmp_path / "bad.txt"], tmp_path, window=None, stride=None)
    with pytest.raises(UserError, match="is a folder"):
        evaluate(model, [tmp_path], tmp_path, window=None, stride=None)
    (tmp_path / "good.txt").write_text(TEXT)
    with pytest.raises(UserError, match=r"^--stride: 9 with a window of 5"):
        evaluate(model, [tmp_path / "good.txt"], tmp_path, window=5, stride=9)
