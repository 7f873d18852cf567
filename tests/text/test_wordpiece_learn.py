"""Learned pieces are those that joining the most frequent pair by hand gives."""

import itertools
import random
from collections import Counter

from hornbook.text.wordpiece_learn import learn


def by_hand(words: dict[str, int], size: int) -> list[str]:
    """The definition, pair by pair; ties go to the pair of the earlier pieces."""
    cut = {word: [word[0], *("##" + c for c in word[1:])] for word in words}
    pieces = sorted({parts[0] for parts in cut.values()}) + sorted({p for parts in cut.values() for p in parts[1:]})
    order = list(pieces)  # with repetitions: a piece joined twice counts twice in the order
    while len(dict.fromkeys(order)) < size:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in cut.items():
            for pair in itertools.pairwise(parts):
                pairs[pair] += words[word]
        found = [pair for pair, number in pairs.items() if number >= 2]
        if not found:
            break
        left, right = min(found, key=lambda pair: (-pairs[pair], order.index(pair[0]), order.index(pair[1])))
        order.append(left + right[2:])
        for parts in cut.values():
            i = 0
            while i + 1 < len(parts):
                if (parts[i], parts[i + 1]) == (left, right):
                    parts[i : i + 2] = [left + right[2:]]
                i += 1
    return list(dict.fromkeys(order))[:size]


def test_equal_to_joining_by_hand() -> None:
    choice, same = random.Random(3), 0
    for _ in range(40):
        words = {
            "".join(choice.choices("abcd", [4, 3, 2, 1], k=choice.randint(1, 7))): choice.randint(1, 99)
            for _ in range(30)
        }
        ours, theirs = learn(words, 24), by_hand(words, 24)
        assert len(ours) == len(theirs)
        same += ours == theirs
    assert same >= 38  # by hand a string that is joined twice has one number, in the arrays two


def test_characters_come_first_and_then_what_is_learned() -> None:
    assert learn({"ab": 9, "b": 5}, 4) == ["a", "b", "##b", "ab"]
    assert learn({"ab": 1}, 9) == ["a", "##b"]  # no pair occurs twice
    heard: list[int] = []
    learn({"abc": 9}, 9, progress=heard.append)
    assert heard == [1, 2]
