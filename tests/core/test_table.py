"""Terminal tables: alignment, numbers, and cells that look like markup."""

import io

from hornbook.core.table import print_table


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    out = io.StringIO()
    print_table(("run", "loss"), [("demo", 2.0), ("[wide]", 1234567), ("none", None)], file=out)
    lines = [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]
    head, _, *body = lines
    assert [line.split() for line in lines if "─" not in line] == [
        ["run", "loss"],
        ["demo", "2"],
        ["[wide]", "1,234,567"],
        ["none"],
    ]
    assert len(head) == len(body[0]) == len(body[1])
    assert body[0].index("demo") == body[1].index("[wide]") == head.index("run")


def test_a_number_is_never_broken() -> None:
    out = io.StringIO()  # 80 columns
    print_table(("words", "how\nmany"), [("a word after the other " * 6, 45_098_336_256)], file=out)
    assert "45,098,336,256" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 80
