# ruff: noqa: RUF001 - Chinese signs are meant
"""BLEU and chrF are sacrebleu's to the last digit; a Chinese one is worked out by hand."""

import gzip
import math
import random
import re
from pathlib import Path

import pytest
import sacrebleu
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from hornbook.evaluate.bleu import bleu, chrf
from hornbook.evaluate.segments import Segments

WORDS = re.findall(r"\S+", "a man in the red hat reads an old book about small birds, and then he goes home; it rains.")
HAN = list("一个男人在红色的房间里看书，然后他回家了。天下雨")


def spoiled(rng: random.Random, tokens: list[str], share: float) -> list[str]:
    return [rng.choice(tokens) if rng.random() < share else token for token in tokens if rng.random() > share / 2]


def systems(tokens: list[str], between: str, count: int = 120) -> tuple[list[str], list[str], list[str]]:
    """References, a worse system and a better one; some segments are empty."""
    rng = random.Random(0)
    references = [rng.sample(tokens, rng.randint(3, len(tokens))) for _ in range(count)]
    worse, better = ([spoiled(rng, each, share) for each in references] for share in (0.5, 0.4))
    worse[7] = []
    return tuple([between.join(each) for each in some] for some in (references, worse, better))  # type: ignore[return-value]


@pytest.mark.parametrize(("tokens", "between", "language", "cut"), [(WORDS, " ", "en", "13a"), (HAN, "", "zh", "zh")])
def test_as_sacrebleu(tokens: list[str], between: str, language: str, cut: str) -> None:
    references, worse, _ = systems(tokens, between)
    segments = Segments(worse, [[each] for each in references], language)  # type: ignore[arg-type]
    ours, theirs = bleu(segments), sacrebleu.corpus_bleu(worse, [references], tokenize=cut)
    assert ours.score().value == pytest.approx(theirs.score, abs=1e-9)
    metric = BLEU(tokenize=cut)
    metric.corpus_score(worse, [references])
    assert ours.signature == str(metric.get_signature())
    assert f"tok:{cut}" in ours.signature
    assert "version:" in ours.signature
    assert chrf(segments).score().value == pytest.approx(sacrebleu.corpus_chrf(worse, [references]).score, abs=1e-9)
    for written, reference, one, other in zip(worse, references, ours.each, chrf(segments).each, strict=True):
        assert one == pytest.approx(sacrebleu.sentence_bleu(written, [reference], tokenize=cut).score, abs=1e-9)
        assert other == pytest.approx(sacrebleu.sentence_chrf(written, [reference]).score, abs=1e-9)


def test_the_interval_is_as_wide_as_sacrebleus() -> None:
    references, worse, _ = systems(WORDS, " ")
    found = bleu(Segments(worse, [[each] for each in references])).score()
    theirs = BLEU().corpus_score(worse, [references], n_bootstrap=1000)
    assert (found.interval[1] - found.interval[0]) / 2 == pytest.approx(theirs._ci, rel=0.1)
    assert found.interval[0] < found.value < found.interval[1]


def test_a_chinese_one_by_hand() -> None:
    """Six characters, all of them and all their n-grams in the seven of the reference: only the brevity penalty."""
    found = bleu(Segments(["猫坐在垫子上"], [["猫坐在垫子上面"]], "zh"))
    assert found.score().value == pytest.approx(100 * math.exp(1 - 7 / 6))
    wrong = bleu(Segments(["猫坐在垫子上"], [["猫坐在垫子上面"]], "en"))
    assert wrong.score().value == 0.0  # what the script saves us from: the whole sentence is one word


def test_as_many_references_as_there_are() -> None:
    written, some = ["the cat sat down", "a dog ran"], [["the cat sat", "a cat sat down"], ["one dog ran off"]]
    columns = [["the cat sat", "one dog ran off"], ["a cat sat down", None]]
    found = bleu(Segments(written, some))
    assert found.score().value == pytest.approx(sacrebleu.corpus_bleu(written, columns).score, abs=1e-9)  # type: ignore[arg-type]
    assert "nrefs:var" in found.signature


def test_two_systems_as_sacrebleus_paired_bootstrap_has_them() -> None:
    """Its p is of one side, ours of both: where neither is at an end they agree to the bootstrap's own error."""
    references, worse, better = systems(WORDS, " ", count=60)
    rows = [[each] for each in references]
    for ours, name, metric in ((bleu, "BLEU", BLEU()), (chrf, "chrF2", CHRF())):
        test = PairedTest([("worse", worse), ("better", better)], {name: metric}, [references], test_type="bs")
        _, scores = test()
        found = ours(Segments(worse, rows)).compare(ours(Segments(better, rows)))
        assert found.value == pytest.approx(scores[name][1].score - scores[name][0].score, abs=1e-9)  # type: ignore[union-attr]
        assert found.chance == pytest.approx(2 * scores[name][1].p_value, abs=0.05)  # type: ignore[union-attr,operator]
        assert found.test == "paired bootstrap"


def test_real_translations(shared_data: Path) -> None:
    """Captions against those of the next picture, in both languages of Multi30k."""
    for language in ("en", "de"):
        path = shared_data / "seq2seq" / "multi30k" / f"test_2016_flickr.{language}.gz"
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()[:400]
        written = lines[1:] + lines[:1]
        found = bleu(Segments(written, [[line] for line in lines], "en" if language == "en" else "words"))
        assert found.score().value == pytest.approx(sacrebleu.corpus_bleu(written, [lines]).score, abs=1e-9)
