"""Lines: bullets, ellipses, ends, repetitions, each against what the eye says."""

import hypothesis
import hypothesis.strategies as st

from hornbook.corpus import lines


def test_bullets_and_ellipses_are_counted() -> None:
    assert lines.bulleted(["- a", "  • b", "c - d", "·e"]) == 2
    assert lines.bulleted(["·e", "●f", "g"], lines.UNSPACED_BULLETS) == 2
    assert lines.trailing_off(["a...", "b…  ", "c.", "..."]) == 3


def test_a_line_is_finished_by_a_sign_that_ends_a_sentence() -> None:
    said = ["Yes.", "是。", "「是。」", "no", ""]
    assert lines.finished(said) == 2
    assert lines.finished(said, quotes=True) == 3


def test_a_share_of_nothing_is_nothing() -> None:
    assert (lines.share(0, []), lines.share(1, ["a", "b"])) == (0, 0.5)


@hypothesis.given(st.lists(st.sampled_from(["a", "bb", "ccc", ""])))
def test_repetitions_are_all_but_the_first(items: list[str]) -> None:
    again = [item for i, item in enumerate(items) if item in items[:i]]
    assert lines.repeated(items) == (len(again), len("".join(again)))
