"""Pairs from three kinds of files: every drop and fault has its reason, and no text is on both sides."""

import gzip
import json
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.pairs import PairFiles, run
from hornbook.corpus.stored import stored

LINES = [("Hi.", "嗨。"), ("Run.", "跑。"), ("Wait.", "等等。")]


def made(source: str | tuple[str, str], folder: Path, **values: object) -> tuple[list[tuple[str, str]], Ledger]:
    config = PairFiles(**{"source": source, "validation": 0.0, **values})
    ledger = run(config, folder / "corpus")
    return pairs(folder / "corpus", "train"), ledger


def pairs(folder: Path, split: str) -> list[tuple[str, str]]:
    texts = (document.text for document in stored(folder, split))
    return list(zip(texts, texts, strict=True))


def test_two_columns_with_a_tab_between(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("".join(f"{text}\t{answer}\tattribution\n" for text, answer in LINES))
    assert made(str(tmp_path / "a.tsv"), tmp_path)[0] == LINES


def test_jsonl_with_fields_of_any_name(tmp_path: Path) -> None:
    rows = [{"en": text, "zh": answer, "id": 3} for text, answer in LINES]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert made(str(tmp_path / "a.jsonl"), tmp_path, columns=("en", "zh"))[0] == LINES


def test_two_files_line_by_line_also_packed(tmp_path: Path) -> None:
    for name, side in (("a.en.gz", 0), ("a.zh.gz", 1)):
        (tmp_path / name).write_bytes(gzip.compress("\n".join(line[side] for line in LINES).encode()))
    found, ledger = made((str(tmp_path / "a.en.gz"), str(tmp_path / "a.zh.gz")), tmp_path)
    assert found == LINES
    assert ledger.splits["train"].documents == 6
    names = [document.id for document in stored(tmp_path / "corpus", "train")]
    assert names[:3] == ["a.en.gz:1", "a.en.gz:1 answer", "a.en.gz:2"]


def test_files_of_unequal_length_do_not_belong_together(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\ntwo\nthree\n")
    (tmp_path / "b").write_text("eins\nzwei\n")
    with pytest.raises(UserError, match=r"b: has fewer lines than the other file"):
        made((str(tmp_path / "a"), str(tmp_path / "b")), tmp_path)


def test_copies_and_empty_sides_are_dropped_with_their_reason(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("a\tx\na\ty\na\tx\nb\t \n\tz\n")
    found, ledger = made(str(tmp_path / "a.tsv"), tmp_path)
    assert found == [("a", "x"), ("a", "y")]
    reasons = {why: reason.documents for why, reason in ledger.steps["pairs"].dropped.items()}
    assert reasons == {"exact duplicate": 1, "a side is empty": 2}


def test_lines_that_are_no_pairs_are_named_and_too_many_are_an_error(tmp_path: Path) -> None:
    good = "".join(f"text {n}\tanswer {n}\n" for n in range(40))
    (tmp_path / "a.tsv").write_text("no tab\n" + good)
    _, ledger = made(str(tmp_path / "a.tsv"), tmp_path)
    assert (ledger.bad, ledger.bad_places[0]["place"]) == (1, f"{tmp_path / 'a.tsv'}:1")
    (tmp_path / "b.jsonl").write_text('{"source": 3, "target": "x"}\nnot json\n')
    with pytest.raises(UserError, match=r"b.jsonl:1: not a text and an answer; .* 2 of 2 lines are no pairs"):
        made(str(tmp_path / "b.jsonl"), tmp_path)


def test_a_text_is_on_one_side_only_with_all_its_answers(tmp_path: Path) -> None:
    lines = [(f"text {n % 200}", f"answer {n}") for n in range(1000)]
    (tmp_path / "a.tsv").write_text("".join(f"{text}\t{answer}\n" for text, answer in lines))
    train, ledger = made(str(tmp_path / "a.tsv"), tmp_path, validation=0.2)
    held_out = pairs(tmp_path / "corpus", "validation")
    assert not {text for text, _ in train} & {text for text, _ in held_out}
    assert 100 < len(held_out) < 300
    assert sorted(train + held_out) == sorted(lines)
    assert ledger.fingerprint == made(str(tmp_path / "a.tsv"), tmp_path, validation=0.2)[1].fingerprint


def test_real_pairs_are_all_read(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "seq2seq"
    multi30k = tuple(str(folder / "multi30k" / f"val.{language}.gz") for language in ("en", "de"))
    found, _ = made(multi30k, tmp_path)
    assert len(found) == 1014
    assert found[0] == (
        "A group of men are loading cotton onto a truck",
        "Eine Gruppe von Männern lädt Baumwolle auf einen Lastwagen",
    )
    chinese, ledger = made(str(folder / "tatoeba-cmn-eng" / "cmn.txt"), tmp_path)
    assert ledger.bad == 0
    assert chinese[0] == ("Hi.", "嗨。")
    assert len(chinese) > 20_000


@pytest.mark.parametrize("share", [-0.1, 0.9])
def test_impossible_shares_are_refused(share: float) -> None:
    with pytest.raises(ValueError, match=f"validation: {share} is not a share between 0 and 0.5"):
        PairFiles(source="a.tsv", validation=share)
