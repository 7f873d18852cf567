"""The page: nothing from outside, everything escaped, empty parts left out."""

import html.parser
import re

from hornbook.core import report

VOID = {"meta", "br", "circle", "path", "rect"}


class Checker(html.parser.HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<path/>` closes itself."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def balanced(page: str) -> bool:
    checker = Checker()
    checker.feed(page)
    return not checker.open


def test_a_page_is_whole_and_asks_for_nothing_outside() -> None:
    section = report.Section("S").add(
        report.text("one"),
        report.table(("a", "b"), [("x", 1.5), ("y", None)]),
        report.figure("It fell", lambda width: f'<svg viewBox="0 0 {width} 9"></svg>', data="d.csv"),
        report.sample("def f():\n", "    return 1"),
        report.fold("more", report.code("seed: 1")),
    )
    page = report.page("t", "lead", [("loss", 2.5)], [section], foot="f")
    assert balanced(page)
    assert not re.search(r"src=|href=|url\(|@import|https?:", page)
    assert page.count("<svg") == 2  # drawn for a wide and for a narrow screen
    assert f'viewBox="0 0 {report.WIDE} 9"' in page
    assert f'viewBox="0 0 {report.NARROW} 9"' in page


def test_everything_a_model_or_a_file_may_say_is_escaped() -> None:
    evil = "<script>alert('x')</script>&"
    section = report.Section(evil).add(
        report.text(evil), report.heading(evil), report.sample(evil, evil), report.code(evil), report.fold(evil, "-"),
        report.table((evil,), [(evil,)]), report.figure(evil, lambda width: "<svg></svg>", data=evil),
    )  # fmt: skip
    page = report.page(evil, evil, [(evil, evil)], [section], foot=evil)
    assert "<script" not in page
    assert balanced(page)


def test_empty_parts_are_left_out() -> None:
    assert report.table(("a",), []) == report.fold("x") == report.fold("x", "") == ""
    assert report.figure("answer", lambda width: "") == ""
    assert "<h2>" not in report.page("t", "l", [], [report.Section("nothing").add("", report.table(("a",), []))])


def test_columns_of_numbers_stand_to_the_right() -> None:
    made = report.table(("name", "value"), [("x", 1.0), ("y", "8m44s")])
    assert made.count('class="number"') == 3
    assert '<td class="number">8m44s</td>' in made


def test_values_from_json_become_cells() -> None:
    assert report.plain({"torch": "2.13"}) == "torch 2.13"
    assert report.plain(["a", 1]) == "a, 1"
    assert report.plain(float("nan")) is None
    assert report.plain(3) == 3
