"""Lines and paragraphs of earlier documents: gone from the later ones, and nothing else is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.corpus.paragraphs import RepeatedParagraphs
from tests.corpus.over_tasks import across, made

COOKIES = "We use cookies to give you the best experience on our site."
NOTICE = "本网站所有内容均受版权保护、未经许可不得转载。"


def texts(step: RepeatedParagraphs, documents: list[str], folder: Path) -> dict[str, str]:
    return {document.id: document.text for document in across(step, [made(documents)], folder).kept}


def test_a_line_stays_in_the_first_document_that_has_it(tmp_path: Path) -> None:
    documents = [f"One\n{COOKIES}\nmore", f"{COOKIES}\nTwo", f"Three\n  {COOKIES} \n", f"Four\n{COOKIES}"]
    kept = texts(RepeatedParagraphs(unit="line"), documents, tmp_path)
    assert kept == {"0": documents[0], "1": "Two", "2": "Three\n", "3": "Four"}


def test_what_one_document_says_twice_is_left_alone(tmp_path: Path) -> None:
    song = f"{COOKIES}\nverse\n{COOKIES}\n"
    assert texts(RepeatedParagraphs(unit="line"), [song, f"{song}end"], tmp_path) == {"0": song, "1": "verse\nend"}


def test_paragraphs_go_whole_or_stay(tmp_path: Path) -> None:
    documents = [f"One\n\n{COOKIES}\nand more\n\nend", f"{COOKIES}\n\nTwo\n \n{COOKIES}\nand more\n\n\nend of two"]
    kept = texts(RepeatedParagraphs(), documents, tmp_path)
    assert kept == {"0": documents[0], "1": f"{COOKIES}\n\nTwo\n \nend of two"}


@pytest.mark.parametrize("line", ["}", "Posted on 12 May 2021 by admin", "上一页 下一页 返回首页"])
def test_short_lines_are_left_alone(line: str, tmp_path: Path) -> None:
    documents = [f"{line}\nOne", f"{line}\nTwo"]
    assert texts(RepeatedParagraphs(unit="line"), documents, tmp_path) == dict(zip("01", documents, strict=True))


def test_chinese_lines_count_their_bytes(tmp_path: Path) -> None:
    kept = texts(RepeatedParagraphs(unit="line"), [f"一\n{NOTICE}", f"二\n{NOTICE}\n三"], tmp_path)
    assert kept["1"] == "二\n三"


def test_every_change_and_drop_has_its_reason(tmp_path: Path) -> None:
    result = across(
        RepeatedParagraphs(unit="line"), [made([COOKIES]), made([f"{COOKIES}\n", f"a\n{COOKIES}"])], tmp_path
    )
    assert [(document.text, reason) for document, reason in result.dropped] == [(f"{COOKIES}\n", "only repeated lines")]
    assert [(document.text, reason) for document, reason in result.changed] == [(f"a\n{COOKIES}", "repeated lines")]


LINES = st.lists(st.sampled_from([COOKIES, NOTICE, f"{COOKIES}!", "short", "", "  "]), max_size=8)


@given(st.lists(LINES, min_size=1, max_size=6))
def test_what_is_left_is_what_a_plain_loop_leaves(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[str]]
) -> None:
    seen: dict[str, int] = {}
    want = []
    for number, each in enumerate(lines):
        left = [line for line in each if len(line.encode()) < 40 or seen.setdefault(line, number) == number]
        want += ["\n".join(left).rstrip("\n")] * ("".join(left).strip() != "" or left == each)
    documents = made(["\n".join(each) for each in lines])
    kept = across(RepeatedParagraphs(unit="line"), [documents], tmp_path_factory.mktemp("lines")).kept
    assert [document.text.rstrip("\n") for document in kept] == want


def test_a_length_of_nothing_is_refused() -> None:
    with pytest.raises(RecipeError, match="lines: min_bytes"):
        recipe.parse(RepeatedParagraphs, {"min_bytes": 0}, "lines")
