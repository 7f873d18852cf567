"""Contractions: whole -> parts that make it up again."""

from hornbook.corpus.contractions import KNOWN, LONGEST_KNOWN


def test_the_parts_make_up_the_whole() -> None:
    assert [whole for whole, parts in KNOWN.items() if "".join(parts) != whole] == []
    assert max(map(len, KNOWN)) == LONGEST_KNOWN < 20


def test_words_of_their_own_are_left_alone() -> None:
    assert not {"ill", "its", "Well", "were", "hell"} & KNOWN.keys()


def test_apostrophes_may_be_curly_or_missing() -> None:
    assert KNOWN["don't"] == ("do", "n't")
    assert KNOWN["Don’t"] == ("Do", "n’t")  # noqa: RUF001 - the curly one is meant
    assert KNOWN["dont"] == ("do", "nt")
    assert KNOWN["they'd've"] == ("they", "'d", "'ve")
    assert KNOWN["11pm"] == ("11", "pm")
