# ruff: noqa: RUF001 - signs that look alike are meant
"""Words: what people would call words, cut once, in linear time."""

import sys
import time

import hypothesis
import hypothesis.strategies as st
import pytest

from hornbook.corpus import words as module
from hornbook.corpus.words import LONG, sentences, unspaced, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Smith's dogs' home, e.g. (U.S.A.).", "Mr. Smith 's dogs ' home , e.g. ( U.S.A. ) ."),
        ("I can't; you’ll cannot “gonna”", "I ca n't ; you ’ll can not “ gon na ”"),
        ("dont youre its well 'em;", "do nt you re its well 'em ;"),
        ("state-of-the-art and/or 10-20 a=b", "state - of - the - art and/or 10 - 20 a = b"),
        ("10km $5.50 £3 5% 12pm +7", "10 km $ 5.50 £ 3 5 % 12 pm +7"),
        (
            "https://example.com/a,b?c=d me@example.com example.com,",
            "https://example.com/a,b?c=d me@example.com example.com ,",
        ),
        ("Wait....what?! end..", "Wait .... what ? ! end .."),
        ("end.Next next.end a,b", "end . Next next.end a , b"),
        ("子曰：「學而時習之，不亦說乎？」", "子 曰 ： 「 學 而 時 習 之 ， 不 亦 說 乎 ？ 」"),
        ("カタカナー 한국어 문장.", "カ タ カ ナ ー 한국어 문장 ."),
        ("ที่นี่", "ที่ นี่"),
    ],
)
def test_a_text_is_cut_into_words(text: str, expected: str) -> None:
    assert words(text) == expected.split(" ")


@hypothesis.given(st.text(alphabet="ab .,'-:/)(…中の…ที่9$é\n" + "http@", max_size=60))
def test_no_character_is_lost(text: str) -> None:
    assert "".join(words(text)) == "".join(text.split())


def test_what_was_cut_before_is_cut_the_same_after_all_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "It's a well-known fact (e.g. here)."
    before = words(text)
    monkeypatch.setattr(module, "PIECES", 2)
    assert words(f"never-seen! nor-this? {text}")[8:] == before
    assert len(module._PIECES) <= 2
    assert words(text) == before


@pytest.mark.parametrize(("text", "most", "count"), [
    ("One. Two! Three?", 9, 3), ("One. Two! Three?", 2, 2), ("", 9, 0), ("no end", 9, 1), ("Hm... well.", 9, 1),
    ("天地玄黃。宇宙洪荒！日月盈昃？", 9, 3), ("He left.) Then he came.", 9, 2),
])  # fmt: skip
def test_sentences_are_counted(text: str, most: int, count: int) -> None:
    assert sentences(words(text), most) == count


def test_a_text_is_measured_in_what_it_has_more_of() -> None:
    assert unspaced("GPT-2 是一個語言模型。")
    assert not unspaced("The character 道 (dào) is a word; 論語 are two.")
    assert not unspaced("한국어는 띄어쓰기를 한다")
    assert not unspaced("")


def test_the_first_look_misses_no_character() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert [one for one in module.UNSPACED.findall(everything) if not module.MAYBE_UNSPACED.search(one)] == []


@pytest.mark.parametrize(
    "unit", ["a", "(", "…", ".", "-", "a.", "[(", "'s", "http://a@", "x,y", "中", "!?,", "9km", "é—"]
)
def test_a_hostile_text_takes_time_in_proportion(unit: str) -> None:
    """Twenty times the text takes some twenty times as long: quadratic would be four hundred."""
    short, long = unit * (2_000 // len(unit)), unit * (40_000 // len(unit))
    assert "".join(words(long)) == long
    assert seconds(long) < 100 * max(seconds(short), 0.002)


def seconds(text: str) -> float:
    """The least CPU time of three."""
    taken = []
    for _ in range(3):
        started_at = time.process_time()
        words(text)
        taken.append(time.process_time() - started_at)
    return min(taken)


def test_one_line_of_ten_megabytes_is_one_word() -> None:
    assert words("a" * 10_000_000) == ["a" * 10_000_000]
    assert len(words("(" * 10_000_000)) == 1
    assert sys.maxsize > LONG
