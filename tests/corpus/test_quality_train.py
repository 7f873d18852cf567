"""A judge learns what it is shown: English and Chinese beside their own words shuffled; the same every time."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hornbook.cli import app
from hornbook.core.errors import UserError
from hornbook.corpus import quality_train
from hornbook.corpus.document import Document
from hornbook.corpus.quality import Quality
from hornbook.corpus.quality_model import Judge
from hornbook.corpus.quality_train import PIECE, pieces, train

SUBJECTS = ["the king", "a fool", "my lady", "old Tom"]
VERBS = ["loves", "hates", "sold", "saw"]
THINGS = ["wine", "a horse", "the sea", "gold"]


def prose(seed: int, sentences: int = 9_000) -> str:
    chance = random.Random(seed)
    return " ".join(
        f"{chance.choice(SUBJECTS)} {chance.choice(VERBS)} {chance.choice(THINGS)} again." for _ in range(sentences)
    )


def shuffled(text: str, seed: int = 0) -> str:
    words = text.split() if " " in text else list(text)
    random.Random(seed).shuffle(words)
    return (" " if " " in text else "").join(words)


def judge(good: str, bad: str, folder: Path) -> Judge:
    (folder / "good.txt").write_text(good)
    (folder / "bad.txt").write_text(bad)
    return train([str(folder / "good.txt")], [str(folder / "bad.txt")])


def test_order_is_learned(tmp_path: Path) -> None:
    made = judge(prose(0), shuffled(prose(1)), tmp_path)
    assert made.measured.auc > 0.95
    likely = made([prose(2, 60), shuffled(prose(2, 60))])
    assert likely[0] > 0.9
    assert likely[1] < 0.1


def test_twice_the_same(tmp_path: Path) -> None:
    first, second = (judge(prose(0), shuffled(prose(1)), tmp_path) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)
    assert (first.bias, first.scale, first.shift, first.measured) == (
        second.bias,
        second.scale,
        second.shift,
        second.measured,
    )


def test_kinds_that_do_not_differ_are_not_told_apart(tmp_path: Path) -> None:
    made = judge(prose(0), prose(1), tmp_path)
    assert 0.2 < made.measured.auc < 0.8
    assert np.all(np.abs(made([prose(2, 60), shuffled(prose(2, 60))]) - 0.5) < 0.4)


def test_shakespeare_beside_shuffled_shakespeare_and_noise(shared_data: Path, tmp_path: Path) -> None:
    play = (shared_data / "text" / "tinyshakespeare" / "input.txt").read_text()[:500_000]
    chance = random.Random(0)
    noise = "".join(chance.choices(sorted(set(play)), k=len(play) // 2))
    half = len(play) // 2
    made = judge(play, shuffled(play)[:half] + noise, tmp_path)
    assert made.measured.auc > 0.95
    assert sum(count for _, count, _, _ in made.measured.reliability) > 40


def test_chinese_beside_shuffled_chinese(shared_data: Path, tmp_path: Path) -> None:
    """Of one half the text, of the other the characters: of the same text, what is held out of one is in the other."""
    halves: list[list[str]] = [[], []]
    for name in ("四书五经__mengzi.json", "论语__lunyu.json", "宋词__ci.song.0.json"):
        chapters = json.loads((shared_data / "text" / "chinese-poetry" / name).read_text())
        text = "\n".join(line for chapter in chapters for line in chapter["paragraphs"])
        halves[0].append(text[: len(text) // 2])
        halves[1].append(shuffled(text[len(text) // 2 :].replace(" ", "")))
    assert judge(*map("".join, halves), tmp_path).measured.auc > 0.95


def test_too_little_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"bad.txt: 1 pieces of a page are too few"):
        judge(prose(0), "short", tmp_path)


def test_a_sample_does_not_depend_on_the_order_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality_train, "MOST_PIECES", 20)
    for name, seed in (("a.txt", 0), ("b.txt", 1)):
        (tmp_path / name).write_text(prose(seed, 1000))
    a, b = str(tmp_path / "a.txt"), str(tmp_path / "b.txt")
    assert quality_train.sample([a, b], "text") == quality_train.sample([b, a], "text")
    assert len(quality_train.sample([a, b], "text")) == 20


def test_pieces_lose_nothing() -> None:
    text = prose(0, 500)
    assert "".join(pieces(text)) == text
    assert all(len(piece) <= PIECE for piece in pieces("x" * 5000))
    assert list(pieces("  ")) == []


def test_the_command_prints_what_the_judge_is_worth(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text(prose(0))
    (tmp_path / "bad.txt").write_text(shuffled(prose(1)))
    paths = [str(tmp_path / name) for name in ("good.txt", "bad.txt")]
    done = CliRunner().invoke(app, ["corpus", "train-quality", *paths, "--out", str(tmp_path / "judge")])
    assert done.exit_code == 0, done.output
    assert "share that is good" in done.output
    assert re.search(r"judge: AUC [01]\.\d{4} on text held out, of \d+ good and \d+ bad pieces", done.output)
    kept = Quality(model=tmp_path / "judge")(
        [Document("a", prose(3, 60), "s"), Document("b", shuffled(prose(3, 60)), "s")]
    ).kept
    assert [each.id for each in kept] == ["a"]
