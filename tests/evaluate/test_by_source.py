"""Each source has the score that its texts have alone."""

import math
from pathlib import Path

from hornbook.corpus import pipeline
from hornbook.corpus.pipeline import Corpus
from hornbook.evaluate.by_source import held_out, plain, score_each
from hornbook.evaluate.compression import score
from tests.evaluate.test_compression import Letters, Uniform


def test_each_source_is_scored_by_itself() -> None:
    texts = {"web": ["abc", "defgh"], "books": ["xy"]}
    found = score_each(Uniform(), Letters(), texts, length=4)
    assert math.isclose(found["web"].bits_per_byte, math.log2(257), rel_tol=1e-6)
    assert found["books"] == score(Uniform(), Letters(), texts["books"], length=4)
    entry = plain(found)["web"]
    assert (entry["of"], entry["bytes"], entry["value"]) == (2, 8, found["web"].bits_per_byte)


def test_held_out_texts_keep_the_name_of_their_source(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for number in range(8):
            (tmp_path / name / f"{number}.txt").write_text(f"{name} " * (40 + number))
    sources = {name: str(tmp_path / name) for name in ("one", "two")}
    pipeline.run(Corpus(source=sources, steps=(), validation=0.5), tmp_path / "corpus")
    found = held_out(tmp_path / "corpus")
    assert set(found) == {"one", "two"}
    assert all(source in text and len(set(text.split())) == 1 for source, texts in found.items() for text in texts)
    assert {name: len(texts) for name, texts in held_out(tmp_path / "corpus", most=1).items()} == {"one": 1, "two": 1}
