"""Labels: of any column and file, in an order that can be told, and none that was never trained on."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.data.labels import Labels, labels, names
from hornbook.data.split import Files, Parts, Split

ID = "a.csv:7"


def parts(train: str, validation: str = "", test: str = "") -> Parts:
    """Rows of one text each, with the letters as labels."""
    return Parts(
        *[
            [
                {"text": f"{side}{number}", "label": letter, "id": f"{side}.csv:{number}"}
                for number, letter in enumerate(letters)
            ]
            for side, letters in (("train", train), ("validation", validation), ("test", test))
        ]
    )


@pytest.mark.parametrize(
    ("label", "name"), [("spam", "spam"), (" ham ", "ham"), (3, "3"), (3.0, "3"), (0.5, "0.5"), (True, "true")]
)
def test_a_label_is_a_text(label: Any, name: str) -> None:
    assert labels({"id": ID, "text": "x", "label": label, "more": 1}) == {"text": "x", "label": name, "id": ID}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "x", "label": ""}, "label is empty, not the name of a class; fix the row or take it out"),
        ({"text": "x", "label": None}, "label is null, not the name of a class"),
        ({"text": "x", "label": float("nan")}, "label is a number, not the name of a class"),
        ({"text": "x", "label": ["a"]}, "label is a list, not the name of a class"),
        ({"text": " ", "label": "a"}, "text is empty; give a text, or take the row out"),
        ({"text": "x", "lable": "a"}, r"no column 'label' \(did you mean 'lable'\?\); it has text, lable; set `label`"),
        ({"ham": "spam", "Go until": "x"}, "no column 'text'; it has ham, Go until; set `text` to its name, or where"),
    ],
)
def test_what_has_no_label_is_refused_with_its_row(row: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"^{ID}: {said}"):
        labels({"id": ID, **row})


def test_the_order_is_the_sorted_one_or_the_one_given() -> None:
    assert names(parts("bab")) == ["a", "b"]
    assert names(parts("bab"), ["b", "a"]) == ["b", "a"]
    numbered = parts("aaa")
    for row, label in zip(numbered.train, ["10", "9", "2"], strict=True):
        row["label"] = label
    assert names(numbered) == ["2", "9", "10"]


@pytest.mark.parametrize(
    ("given", "order", "said"),
    [
        (
            parts("ab", "ac"),
            None,
            "^validation.csv:1: label 'c' is in validation and in no training row; .* trained are",
        ),
        (parts("ab", "a", "bz"), None, "^test.csv:1: label 'z' is in test and in no training row"),
        (parts("ab", "z"), ["a", "b", "z"], "^validation.csv:0: label 'z' is in validation and in no training row"),
        (parts("abc"), ["a", "b"], "^train.csv:2: label 'c' is not one of a, b"),
        (parts("ab"), ["a", "b", "c"], "^labels: no training row has 'c'; add rows of it or take it out of the names"),
        (parts("aa"), None, "^labels: a; classes are two or more different names"),
        (parts("ab"), ["a", "a"], "^labels: a, a; classes are two or more different names"),
    ],
)
def test_a_label_that_cannot_be_learnt_is_refused_by_name_and_row(given: Parts, order: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        names(given, order)


def test_files_of_labels_with_and_without_names(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("".join(f"{'spam' if i % 5 else 'ham'}\ttext {i}\n" for i in range(20)))
    (tmp_path / "b.jsonl").write_text(json.dumps({"review": "new", "stars": "spam"}))
    (tmp_path / "c.csv").write_text("label,text\nham,more\n")
    found = Labels(
        source=str(tmp_path / "a.tsv"), header=["label", "text"], split=Split(train=0.7, validation=0.1)
    ).build()
    assert [len(found.train), len(found.validation), len(found.test)] == [14, 2, 4]
    assert names(found) == ["ham", "spam"]
    other = Labels(source=str(tmp_path / "b.jsonl"), text="review", label="stars", split=Split(validation=0.0))
    assert other.build().train == [{"text": "new", "label": "spam", "id": "b.jsonl:1"}]
    split = Files(validation=str(tmp_path / "c.csv"))
    with pytest.raises(UserError, match=r"a.tsv:2: no column 'text'"):
        Labels(source=str(tmp_path / "c.csv"), header=None, split=Files(validation=str(tmp_path / "a.tsv"))).build()
    assert Labels(source=str(tmp_path / "c.csv"), split=Split(validation=0.0)).build().train[0]["id"] == "c.csv:2"
    assert split.test is None


def test_the_same_text_with_two_labels_stays_on_one_side() -> None:
    source = Labels(source="-")
    rows = [{"text": str(number // 2), "label": "ab"[number % 2], "id": str(number)} for number in range(40)]
    found = source.split.divide(rows, source.key) if isinstance(source.split, Split) else None
    assert found is not None
    assert not {row["text"] for row in found.train} & {row["text"] for row in found.validation}


def test_sms_spam_is_read_whole(shared_data: Path) -> None:
    source = str(shared_data / "classification/sms-spam/SMSSpamCollection")
    found = Labels(source=source, header=["label", "text"], split=Split(train=0.7, validation=0.1)).build()
    rows = found.train + found.validation + found.test
    assert sum(row["label"] == "spam" for row in rows) == 747
    assert sum(row["label"] == "ham" for row in rows) == 4827  # pandas loses two in quotation marks that do not close
    assert [len(found.train), len(found.validation), len(found.test)] == [3901, 557, 1116]
    assert found.duplicates == 403


def test_balanced_sms_spam_is_split_as_in_the_book(shared_data: Path) -> None:
    source = Labels(
        source=str(shared_data / "classification/sms-spam/SMSSpamCollection"),
        header=["label", "text"],
        split=Split(train=0.7, validation=0.1),
    )
    rows = list(source.read(Path(source.source), []))
    balanced = [row for row in rows if row["label"] == "spam"] + [row for row in rows if row["label"] == "ham"][:747]
    assert isinstance(source.split, Split)
    found = source.split.divide(balanced, source.key)
    assert [len(found.train), len(found.validation), len(found.test)] == [1045, 149, 300]


@pytest.mark.parametrize(("name", "rows", "classes"), [("sst2/dev.tsv", 872, 2), ("thucnews-titles/dev.txt", None, 10)])
def test_real_labels(shared_data: Path, name: str, rows: int | None, classes: int) -> None:
    found = Labels(source=str(shared_data / "classification" / name), header=["text", "label"]).build()
    assert rows is None or len(found.train + found.validation) == rows
    assert names(found) == [str(number) for number in range(classes)]
