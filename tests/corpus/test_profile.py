"""Counts of what documents are like: against counting by hand, and parts that add up."""

from hornbook.corpus.document import Document
from hornbook.corpus.profile import Profile, length_bin, score_bin


def test_a_bin_holds_the_lengths_it_says() -> None:
    for characters in [*range(1, 3_000), 10**6, 2**31 - 1]:
        place = length_bin(characters)
        assert 2**place <= characters**2 < 2 ** (place + 1)  # both sides squared: no rounding


def test_scores_stay_between_nothing_and_all() -> None:
    assert [score_bin(score) for score in (-1, 0.0, 0.049, 0.05, "0.5", 0.999, 2)] == [0, 0, 0, 1, 10, 19, 19]


def test_parts_add_up() -> None:
    documents = [
        Document(str(i), "語" * i, "s", language=["en", None, "zh"][i % 3], metadata={"quality": f"0.{i % 10}"})
        for i in range(40)
    ]
    whole, parts = Profile(), [Profile(), Profile()]
    for place, document in enumerate(documents):
        whole.add(document)
        parts[place // 20].add(document)
    total = Profile()
    for part in parts:
        total.include(part)
    assert total == whole
    assert sum(whole.lengths.values()) == sum(whole.scores.values()) == 40
    assert whole.languages == {"en": 14, "": 13, "zh": 13}
    assert whole.lengths["-1"] == 1
