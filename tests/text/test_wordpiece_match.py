"""Linear matching finds what trying every end finds, whatever the vocabulary, in time linear in the word."""

import random
import time

import pytest

from hornbook.text.wordpiece_match import Matcher, match_plainly


@pytest.mark.parametrize("letters", ["ab", "abc", "ab#"])
def test_equal_to_the_definition_on_any_vocabulary(letters: str) -> None:
    choice = random.Random(letters)
    for _ in range(300):
        spelled = [
            choice.choice(["", "##"]) + "".join(choice.choices(letters, k=choice.randint(1, 5))) for _ in range(9)
        ]
        vocab = {token: i for i, token in enumerate(dict.fromkeys(spelled))}
        matcher = Matcher(vocab, prefix="##")
        for _ in range(30):
            word = "".join(choice.choices(letters, k=choice.randint(0, 12)))
            assert matcher.match(word) == match_plainly(word, vocab, prefix="##"), (vocab, word)


def test_the_paper_s_example() -> None:
    """Song et al., figure 1: the walk fails at z, after `abcd` was certain to be a, ##b, ##c and ##d..."""
    vocab = {token: i for i, token in enumerate(["a", "abcdx", "##b", "##c", "##cdy", "##dz"])}
    matcher = Matcher(vocab, prefix="##")
    assert matcher.match("abcdz") == [0, 2, 3, 5]
    assert matcher.match("abcdx") == [1]
    assert matcher.match("abcd") is None
    assert matcher.match("z") is None
    assert matcher.match("") == []


def test_other_prefixes_and_words_that_begin_with_one() -> None:
    vocab = {"a": 0, "@@a": 1, "@": 2, "@@@a": 3, "": 4}
    matcher = Matcher(vocab, prefix="@@")
    assert matcher.match("aa") == [0, 1]
    for word in ("@@a", "@a", "@@aa", "@@", "@"):
        assert matcher.match(word) == match_plainly(word, vocab, prefix="@@")


def test_time_grows_with_the_word_where_the_definition_s_grows_with_its_square() -> None:
    """`aaa...ab`, with a token that begins as the rest of the word does, however long that is."""
    vocab = {"a": 0, "##a": 1, "##" + "a" * 4000 + "c": 2}
    matcher = Matcher(vocab, prefix="##")

    def seconds(length: int) -> float:
        began = time.process_time()
        assert matcher.match("a" * length) == [0] + [1] * (length - 1)
        return time.process_time() - began

    short = min(seconds(1000) for _ in range(5))
    assert min(seconds(4000) for _ in range(5)) < 9 * short  # a square would be 16
