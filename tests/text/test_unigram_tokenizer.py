"""The likeliest cut, likely cuts and random cuts of whole texts, beside sentencepiece and the slow way."""

import random
from collections import Counter

import pytest

from hornbook.text import sentencepiece_model
from hornbook.text.sentencepiece import Kind
from hornbook.text.sentencepiece_rules import Rules
from hornbook.text.unigram_tokenizer import UnigramTokenizer
from tests.text.made_up_pieces import published, sentences, trained


@pytest.fixture(scope="module")
def tokenizer() -> UnigramTokenizer:
    found = sentencepiece_model.parse(trained(model_type="unigram"))
    assert isinstance(found, UnigramTokenizer)
    return found


def test_ties_are_cut_as_the_library_cuts_them(tokenizer: UnigramTokenizer) -> None:
    """Rounding to 32 bits decides among equal ways, and depends on all that stands before: hence long texts."""
    theirs = published(trained(model_type="unigram"))
    draw = random.Random(0)
    words = ["of", "the", ".......", "aaaaa", "ofofof", "inging", "12121", "--------", "lyly"]
    for size in (5, 50, 500, 5000):
        text = " ".join(draw.choice(words) for _ in range(size))
        assert tokenizer.encode(text) == theirs.encode(text)


def test_a_text_so_long_that_the_library_begins_its_sum_again(tokenizer: UnigramTokenizer) -> None:
    theirs = published(trained(model_type="unigram"))
    text = " ".join(sentences()[:1200:2] * 6)
    ids = tokenizer.encode(text)
    assert sum(tokenizer.counted[i] for i in ids) < -150_000
    assert ids == theirs.encode(text)


def test_the_likeliest_ways(tokenizer: UnigramTokenizer) -> None:
    theirs = published(trained(model_type="unigram"))
    text = "which is for the"
    for best in (1, 4, 16):
        ours = tokenizer.nbest(text, best)
        totals = [sum(tokenizer.counted[i] for i in ids) for ids in ours]
        expected = [sum(tokenizer.counted[i] for i in ids) for ids in theirs.nbest_encode_as_ids(text, best)]
        assert totals == pytest.approx(expected, abs=1e-3)
    assert tokenizer.nbest(text, 1)[0] == tokenizer.encode(text)
    with pytest.raises(ValueError, match="best: 0 ways"):
        tokenizer.nbest(text, 0)


def test_random_cuts_are_as_frequent_as_the_librarys(tokenizer: UnigramTokenizer) -> None:
    theirs, draw, text = published(trained(model_type="unigram")), random.Random(0), "was for"
    ours = Counter(tuple(tokenizer.sample(text, alpha=0.4, generator=draw)) for _ in range(4000))
    them = Counter(tuple(theirs.encode(text, enable_sampling=True, nbest_size=-1, alpha=0.4)) for _ in range(4000))
    for ids in ours | them:
        assert ours[ids] / 4000 == pytest.approx(them[ids] / 4000, abs=0.045)  # four times the deviation of 0.5


def test_a_random_cut_is_the_same_text_and_follows_its_seed(tokenizer: UnigramTokenizer) -> None:
    text = " ".join(sentences()[:20:2])
    drawn = [tokenizer.sample(text, alpha=0.2, generator=random.Random(seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert {tokenizer.decode(ids) for ids in drawn} == {tokenizer.decode(tokenizer.encode(text))}
    sharp = tokenizer.sample(text, alpha=50.0, generator=random.Random(0))
    assert sum(tokenizer.counted[i] for i in sharp) == pytest.approx(
        sum(tokenizer.counted[i] for i in tokenizer.encode(text)), rel=1e-3
    )


def test_scores_of_pieces_that_have_none() -> None:
    made = UnigramTokenizer.from_pieces(
        ["<unk>", "</s>", "a", "b", "ab"],
        [0.0, 0.0, -1.0, -3.0, 7.0],
        [Kind.UNKNOWN, Kind.CONTROL, Kind.NORMAL, Kind.NORMAL, Kind.USER_DEFINED],
        rules=Rules(dummy_prefix=False),
    )
    assert made.counted == [-13.0, 0.0, -1.0, -3.0, -0.1]
    assert made.encode("abxab") == [4, 0, 4]
