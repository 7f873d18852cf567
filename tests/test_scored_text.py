"""Files of texts: lines and rows, references beside or inside, two systems; every mistake with its place."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.scored_text import Texts, column, evaluate


def rows(path: Path, some: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some), encoding="utf-8")
    return path


def test_lines_are_counted_as_editors_count_them(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\r\n\r\nthree\u2028still three\n".encode())
    assert column(path, "text") == ["one", "", "three\u2028still three"]
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one\ntwo"))
    assert column(tmp_path / "a.txt.gz", "text") == ["one", "two"]


def test_rows_with_several_references_inside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = rows(
        tmp_path / "a.jsonl",
        [{"said": "孔子说过", "gold": ["孔子讲过", "孔子说过"]}, {"said": "论语", "gold": "论道"}],
    )
    found = evaluate(Texts(written=path, key="said", reference_key="gold"), ["exact", "f1"], tmp_path / "out.json")
    assert found["about"]["language"] == "zh"
    assert found["scores"]["a.jsonl"]["exact"]["value"] == 1 / 2
    assert found["scores"]["a.jsonl"]["f1"]["value"] == (1 + 1 / 2) / 2
    assert json.loads((tmp_path / "out.json").read_text())["each"] == [
        {"exact": 1.0, "f1": 1.0},
        {"exact": 0.0, "f1": 0.5},
    ]
    assert "language: zh (told by the script" in capsys.readouterr().out


def test_two_systems_against_the_same_references(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng, words = random.Random(0), [f"word{number}" for number in range(9)]
    texts = [rng.choices(words, k=8) for _ in range(150)]
    for name, share in (("references", 0.0), ("worse", 0.5), ("better", 0.2), ("alike", 0.5)):
        some = [" ".join(rng.choice(words) if rng.random() < share else word for word in text) for text in texts]
        (tmp_path / f"{name}.txt").write_text("\n".join(some) + "\n")
    references = (tmp_path / "references.txt",)
    for other, sentence in (("better", "better.txt is better than worse.txt"), ("alike", "no difference between")):
        texts_ = Texts(written=tmp_path / "worse.txt", references=references, against=tmp_path / f"{other}.txt")
        found = evaluate(texts_, ["bleu", "chrf", "rouge", "distinct"], None)
        assert found["differences"]["bleu"]["says"].startswith(sentence)
        assert found["differences"]["rougeL"]["says"].startswith(sentence)
        assert found["differences"]["bleu"]["test"] == "paired bootstrap"
        assert found["differences"]["distinct2"]["test"] == "paired jackknife"
        assert sentence in capsys.readouterr().out


def test_mistakes_have_a_place(tmp_path: Path) -> None:
    path = rows(tmp_path / "a.jsonl", [{"text": "a", "gold": "b"}, {"said": "c", "gold": []}])
    with pytest.raises(UserError, match=r"a.jsonl:2: has no text in 'text'; say --key with one of said, gold"):
        column(path, "text")
    good = rows(tmp_path / "b.jsonl", [{"text": "a", "gold": "b"}, {"text": "c", "gold": []}])
    with pytest.raises(UserError, match=r"b.jsonl:2: 'gold' is \[\]; give a text or a list"):
        evaluate(Texts(written=good, reference_key="gold"), [], None)
    (tmp_path / "bad.txt").write_bytes(b"abc\xff")
    with pytest.raises(UserError, match=r"bad.txt: byte 3 is no UTF-8"):
        column(tmp_path / "bad.txt", "text")
    with pytest.raises(UserError, match="is a folder"):
        column(tmp_path, "text")
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(UserError, match=r"empty.txt: has no segments"):
        column(tmp_path / "empty.txt", "text")
