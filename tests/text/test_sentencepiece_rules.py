"""Spaces and pieces of the user's own, before a text is cut, beside sentencepiece's normaliser."""

import itertools

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from hornbook.text.sentencepiece_rules import MARK, Rules

FLAGS = list(itertools.product([False, True], repeat=3))


@pytest.mark.parametrize(("dummy_prefix", "squeeze", "marked"), FLAGS)
@given(st.text(alphabet=f" ab\n{MARK}", max_size=12))
def test_spaces_as_the_published_normaliser_has_them(
    dummy_prefix: bool, squeeze: bool, marked: bool, text: str
) -> None:
    theirs = sentencepiece.SentencePieceNormalizer(
        rule_name="identity",
        add_dummy_prefix=dummy_prefix,
        remove_extra_whitespaces=squeeze,
        escape_whitespaces=marked,
    )
    ours = Rules(dummy_prefix=dummy_prefix, squeeze=squeeze, marked=marked)
    assert ours.normalize(text) == theirs.normalize(text)


def test_pieces_of_the_users_own_are_left_alone() -> None:
    rules = Rules(squeeze=True).keeping(frozenset({"<a b>", "<a  b>"}))
    assert rules.normalize("x  <a  b>  y") == "▁x▁<a▁▁b>▁y"
    assert rules.split("x<a b>") == ["x", "<a b>"]


def test_what_is_lossless() -> None:
    assert Rules(dummy_prefix=False, squeeze=False, marked=False).lossless
    assert not any(rules.lossless for rules in (Rules(), Rules(squeeze=False), Rules(charsmap=b"x", marked=False)))


def test_every_rule_counts_in_a_fingerprint() -> None:
    several = [Rules(), Rules(squeeze=False), Rules(dummy_prefix=False), Rules(marked=False), Rules(charsmap=b"x")]
    several.append(Rules().keeping(frozenset({"own"})))
    assert len({repr(rules.decisive()) for rules in several}) == len(several)
