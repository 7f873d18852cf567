# ruff: noqa: RUF001 - Chinese punctuation is meant
"""Repetition: the numbers of numpy against counting strings one by one."""

from collections import Counter

import hypothesis
import hypothesis.strategies as st
import pytest

from hornbook.corpus import gopher_repetition as module
from hornbook.corpus.document import Document
from hornbook.corpus.gopher_repetition import GopherRepetition, Phrases

CUT = st.lists(st.sampled_from(["a", "bb", "ccc", "d", "ee"]), max_size=40)
PROSE = (
    "The lamp went out before anyone had noticed how late it was. Outside, rain came down on roofs of tin, then "
    "stopped. A boy who sold papers crossed the empty street twice, looking for somebody to talk to about dogs."
)


def top(cut: list[str], n: int) -> int:
    counts = Counter(" ".join(cut[i : i + n]) for i in range(len(cut) - n + 1))
    return (
        max(((count, len(phrase) * count) for phrase, count in counts.items()), key=lambda pair: pair[0])[1]
        if counts
        else 0
    )


def repeated(cut: list[str], n: int) -> int:
    seen, characters, place = set(), 0, 0
    while place + n <= len(cut):
        phrase = tuple(cut[place : place + n])
        if phrase in seen:
            characters, place = characters + len("".join(phrase)), place + n
        else:
            seen.add(phrase)
            place += 1
    return characters


@hypothesis.given(CUT, st.integers(2, 6))
def test_phrases_are_counted_as_by_hand(cut: list[str], n: int) -> None:
    phrases = Phrases.of(cut, spaced=True)
    assert phrases.top(n) == top(cut, n)
    assert phrases.repeated(n) == repeated(cut, n)
    assert phrases.top_at_most(n, 2) >= phrases.top(n)


def test_phrases_of_many_different_words_are_numbered_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = [str(i % 7) for i in range(50)] + [str(i) for i in range(50)]
    at_once = {n: (Phrases.of(cut, spaced=True).top(n), Phrases.of(cut, spaced=True).covered(n)) for n in (2, 5, 9)}
    monkeypatch.setattr(module, "LARGEST", 0)
    assert {
        n: (Phrases.of(cut, spaced=True).top(n), Phrases.of(cut, spaced=True).covered(n)) for n in at_once
    } == at_once


@hypothesis.given(CUT)
def test_what_is_covered_bounds_what_is_repeated_and_falls_with_length(cut: list[str]) -> None:
    phrases = Phrases.of(cut, spaced=True)
    covered = [phrases.covered(n) for n in range(2, 9)]
    assert covered == sorted(covered, reverse=True)
    assert all(phrases.repeated(n) <= covered[n - 2] for n in range(2, 9))


@pytest.mark.parametrize(("text", "reason"), [
    (PROSE, None),
    ("", "empty"),
    ("\n\n".join([PROSE, "Yes.", "Yes.", "No.", "No."]), "repeated paragraphs"),
    (f"{PROSE}\n\n{PROSE}\n\nAnd.\n\nOr.", "characters in repeated paragraphs"),
    (PROSE + "\nYes." * 5, "repeated lines"),
    (f"{PROSE}\n{PROSE}\nA.\nB.", "characters in repeated lines"),
    (PROSE + " buy now" * 12, "one phrase of 2 words over and over"),
    (f"{PROSE} {PROSE}", "repeated phrases of 5 words"),
    ("床前明月光，疑是地上霜。\n舉頭望明月，低頭思故鄉。", None),
    ("子曰：「學而時習之。」\n子曰：「君子不器。」\n子曰：「里仁為美。」\n子曰：「德不孤，必有鄰。」", None),
    ("點擊這裡查看更多精彩內容" * 5, "one phrase of 2 words over and over"),
])  # fmt: skip
def test_every_rule_drops_and_keeps(text: str, reason: str | None) -> None:
    assert GopherRepetition().reason(Document("", text, "")) == reason


def test_thresholds_are_the_fields() -> None:
    lax = GopherRepetition(top_phrases=(1.0,), repeated_phrases=(1.0,), max_lines=1.0, max_line_characters=1.0)
    assert list(lax.reasons(f"{PROSE} {PROSE}")) == []
    with pytest.raises(ValueError, match="max_lines: 3 is not a share"):
        GopherRepetition(max_lines=3)
